#include "policy/remedy.hpp"

#include "policy/ascii.hpp"
#include "policy/printable.hpp"
#include "policy/spf_identity.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace policy {

namespace {

using Clients = std::span<const Address>;
using Lines = std::vector<std::string>;

std::string domain_of_spf(const Evidence& evidence) {
    return printable(spf_domain_of(evidence));
}

// Of MAIL FROM, or for the null path that of the host.
std::string domain_of_sender(const Evidence& evidence) {
    return evidence.mail_from.empty() ? domain_of_client(evidence) : evidence.mail_from_domain;
}

std::string addresses_told(Clients clients) {
    std::string addresses;
    for (const auto& client : clients) {
        addresses += (addresses.empty() ? "" : " and ") + client.to_string();
    }
    return addresses;
}

// --- Names -------------------------------------------------------------------------------------

// What stands for nobody outside of its own network (RFC 6761, RFC 6762, RFC 8375), or is used as
// if it did.
constexpr auto private_suffixes = std::to_array<std::string_view>({"alt",
                                                                   "arpa",
                                                                   "corp",
                                                                   "home",
                                                                   "internal",
                                                                   "intranet",
                                                                   "invalid",
                                                                   "lan",
                                                                   "local",
                                                                   "localdomain",
                                                                   "localhost",
                                                                   "onion",
                                                                   "private"});

// RFC 1123 section 2.1: what a host may well be called in DNS.
bool is_host_name(std::string_view name) {
    const auto is_plain = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; };
    const std::string last_label = to_lower(name.substr(name.rfind('.') + 1));
    return name.find('.') != std::string_view::npos && !name.starts_with('.') &&
           name.find("..") == std::string_view::npos && std::ranges::all_of(name, is_plain) &&
           !last_label.empty() && !std::ranges::all_of(last_label, is_digit) &&
           std::ranges::find(private_suffixes, last_label) == private_suffixes.end();
}

// A name that may have an AAAA record for a mail host: at a domain itself it would lead the readers
// of its web site there. The sender's may be a part of one.
bool may_be_named(std::string_view name, const Evidence& evidence) {
    const std::string plain = to_lower(without_final_dot(name));
    const std::string sender = '.' + to_lower(domain_of_sender(evidence));
    return is_host_name(plain) && plain != domain_of_host(plain) && !sender.ends_with('.' + plain);
}

std::string zone_name(std::string_view name) {
    return printable(name) + (name.ends_with('.') ? "" : ".");
}

// --- Reverse names -----------------------------------------------------------------------------

// The records of the first client, which has the HELO name. A name for each of the others is the
// sender's to choose.
Lines ptr_records(const Evidence& evidence, Clients clients) {
    if (clients.empty()) {
        return {};
    }
    const bool is_named = may_be_named(evidence.helo, evidence);
    const std::string name = is_named ? zone_name(evidence.helo) : "NAME.";
    Lines lines{clients.front().reverse_name() + ". PTR " + name,
                name + " AAAA " + clients.front().to_string()};
    if (!is_named) {
        lines.emplace_back("NAME is a name of the host's own.");
    }
    if (clients.size() > 1) {
        lines.push_back("Likewise for " + addresses_told(clients.subspan(1)) +
                        ", each with a name of its own.");
    }
    return lines;
}

Lines aaaa_records(const Evidence& evidence, Clients clients) {
    if (!evidence.iprev || evidence.iprev->names.empty()) {
        return {};
    }
    const auto& names = evidence.iprev->names;
    const auto found = std::ranges::find_if(
        names, [&](const IprevName& each) { return may_be_named(each.name, evidence); });
    if (found == names.end()) {
        return {"A PTR record that names a host with this address."};
    }
    Lines lines;
    for (const auto& client : clients) {
        lines.push_back(zone_name(found->name) + " AAAA " + client.to_string());
    }
    lines.emplace_back("Or a PTR record that names a host with this address.");
    return lines;
}

// --- SPF and DKIM ------------------------------------------------------------------------------

std::string ip6_terms(Clients clients) {
    std::string terms;
    for (const auto& client : clients) {
        terms += (terms.empty() ? "ip6:" : " ip6:") + client.to_string();
    }
    return terms;
}

std::string exempt_line(Clients clients) {
    std::string list;
    for (const auto& client : clients) {
        list += (list.empty() ? "\"" : ", \"") + client.to_string() + '"';
    }
    return "[exempt] networks = [" + list + "]";
}

// Whether an SPF record would be found at all where it counts.
bool may_have_spf(const Evidence& evidence) {
    return is_host_name(without_final_dot(spf_domain_of(evidence)));
}

// A record that is new must not shut out the hosts that nobody has asked about.
std::string spf_line(const Evidence& evidence, Clients clients) {
    const auto& spf = spf_that_counts(evidence);
    const std::string at = " at " + domain_of_spf(evidence) +
                           " that lists all its mail hosts, those on IPv4 too, with ";
    const std::string terms = ip6_terms(clients);
    switch (spf ? spf->result : SpfResult::none) {
    case SpfResult::none: return "An SPF record" + at + terms;
    case SpfResult::permerror: return "One valid SPF record" + at + terms;
    case SpfResult::policy: return "An SPF record" + at + terms + ", and nobody else's";
    case SpfResult::neutral:
    case SpfResult::pass:
    case SpfResult::fail:
    case SpfResult::softfail:
    case SpfResult::temperror: break;
    }
    return terms + " added to the SPF record of " + domain_of_spf(evidence);
}

bool passes_dkim(const Evidence& evidence) {
    return evidence.dkim &&
           std::ranges::find(*evidence.dkim, DkimResult::pass, &DkimSignature::result) !=
               evidence.dkim->end();
}

// The name that the client is known by, or says that it is.
std::string host_of(const Evidence& evidence) {
    const std::string_view name = confirmed_name(evidence);
    return printable(name.empty() ? std::string_view{evidence.helo} : name);
}

bool asks_for_both(const Requirements& requirements) {
    return requirements.authentication == Authentication::spf_and_dkim;
}

// What is asked for beside SPF, or in its place; empty where it is there.
std::string dkim_clause(const Evidence& evidence, const Requirements& requirements) {
    if (passes_dkim(evidence)) {
        return "";
    }
    const bool has_signature = evidence.dkim && !evidence.dkim->empty();
    return std::string{asks_for_both(requirements) ? "; and DKIM signatures"
                                                   : ", or DKIM signatures"} +
           (has_signature ? " that pass" : "");
}

// A forwarder's mail carries the author's domain, and no record of that domain is amiss.
Lines remedy_of_forwarder(const Evidence& evidence,
                          const Requirements& requirements,
                          Clients clients) {
    return {"At the forwarder, " + host_of(evidence) +
            ": MAIL FROM rewritten to a domain of its own (SRS) whose SPF record has " +
            ip6_terms(clients) + (asks_for_both(requirements) ? ", and" : ", or") +
            " DKIM signatures of its own."};
}

// What does for a bounce as SPF would; empty where nothing does.
std::string
helo_clause(const Evidence& evidence, const Requirements& requirements, std::string_view what) {
    const bool counts =
        evidence.mail_from.empty() && requirements.null_reverse_path == NullReversePath::helo_name;
    return counts ? "HELO name that leads back to " + std::string{what} : "";
}

// Where no SPF record would be found.
std::string
name_to_take(const Evidence& evidence, const Requirements& requirements, Clients clients) {
    const auto helo = helo_clause(evidence, requirements, addresses_told(clients));
    if (!helo.empty()) {
        return "A " + helo;
    }
    const char* const name = evidence.mail_from.empty() ? "A HELO name" : "MAIL FROM in a domain";
    return name + (" of DNS, whose SPF record has " + ip6_terms(clients));
}

Lines remedy_of_authentication(const Evidence& evidence,
                               SenderKind kind,
                               const Requirements& requirements,
                               Clients clients) {
    if (kind == SenderKind::forwarded) {
        return remedy_of_forwarder(evidence, requirements, clients);
    }
    const auto& spf = spf_that_counts(evidence);
    if (spf && spf->result == SpfResult::pass) { // both are required
        return {"DKIM signatures that pass."};
    }
    const auto dkim = dkim_clause(evidence, requirements);
    if (!may_have_spf(evidence)) {
        return {name_to_take(evidence, requirements, clients) + dkim + '.'};
    }
    auto helo = helo_clause(evidence, requirements, "it");
    if (!helo.empty()) {
        helo.insert(0, ", or a ");
    }
    return {spf_line(evidence, clients) +
            (asks_for_both(requirements) ? helo + dkim : dkim + helo) + '.'};
}

std::string author(const Evidence& evidence) {
    const auto domain = evidence.from_domain.value_or("");
    return domain.empty() ? "the one domain of From" : printable(domain);
}

// Who passes on what others have written can sign for none of them.
Lines remedy_of_alignment(const Evidence& evidence, SenderKind kind) {
    if (kind == SenderKind::mailing_list || kind == SenderKind::forwarded) {
        return {"At " + host_of(evidence) + ": From rewritten to a domain of its own."};
    }
    return {"DKIM signatures of " + author(evidence) + ", or MAIL FROM in that domain."};
}

// --- Temporary errors --------------------------------------------------------------------------

Lines name_servers_of(std::string_view name) {
    return {"If it lasts: look after the name servers of " + printable(name) + '.'};
}

std::string_view signing_domain_in_trouble(const Evidence& evidence) {
    if (evidence.dkim) {
        for (const auto& signature : *evidence.dkim) {
            if (signature.result == DkimResult::temperror) {
                return signature.sdid;
            }
        }
    }
    return "the signing domain";
}

std::string reverse_name_in_trouble(const Evidence& evidence, Clients clients) {
    if (evidence.iprev) {
        const auto& names = evidence.iprev->names;
        const auto found =
            std::ranges::find(names, NameOutcome::not_looked_up, &IprevName::outcome);
        if (found != names.end()) {
            return found->name;
        }
    }
    return clients.empty() ? "the reverse zone" : clients.front().reverse_name();
}

// --- All of it ---------------------------------------------------------------------------------

Lines remedy_at_sender(const Evidence& evidence,
                       Reason reason,
                       SenderKind kind,
                       const Requirements& requirements,
                       Clients clients) {
    const std::string domain = printable(evidence.mail_from_domain);
    switch (reason) {
    case Reason::reverse_name_missing: return ptr_records(evidence, clients);
    case Reason::reverse_name_mismatch: return aaaa_records(evidence, clients);
    case Reason::reverse_name_temperror:
        return name_servers_of(reverse_name_in_trouble(evidence, clients));
    case Reason::unauthenticated:
        return remedy_of_authentication(evidence, kind, requirements, clients);
    case Reason::unaligned: return remedy_of_alignment(evidence, kind);
    case Reason::authentication_temperror: return name_servers_of(domain_of_spf(evidence));
    case Reason::dkim_temperror: return name_servers_of(signing_domain_in_trouble(evidence));
    case Reason::sender_domain_unreachable:
        return {"An MX record for " + domain +
                " that leads to a host with an address (A or AAAA)."};
    case Reason::sender_domain_null_mx:
        return {"Another MAIL FROM: " + domain + " says that it takes no mail."};
    case Reason::sender_domain_temperror: return name_servers_of(evidence.mail_from_domain);
    case Reason::closed: break;
    }
    return {"Nothing to mend: IPv4 is open to it."};
}

// Whether the remedy lets this very host speak for the domain, or bear a name.
bool is_for_host(Reason reason, SenderKind kind, const Evidence& evidence) {
    if (reason == Reason::reverse_name_missing || reason == Reason::reverse_name_mismatch) {
        return true;
    }
    const auto& spf = spf_that_counts(evidence);
    return reason == Reason::unauthenticated && kind != SenderKind::forwarded &&
           !(spf && spf->result == SpfResult::pass) && may_have_spf(evidence);
}

// A host of the domain that nobody has listed, or anybody's who forges it: what is asked for must
// not authorise a forger.
std::string condition_of(const Evidence& evidence, SenderKind kind, Clients clients) {
    if (kind == SenderKind::forwarded) {
        return "At the forwarder: ";
    }
    const char* const of =
        clients.size() > 1 ? "For those that are hosts of " : "If it is a host of ";
    return of + printable(domain_of_sender(evidence)) + ": ";
}

// Before the one line, or on a line of its own.
Lines with_condition(Lines lines, const std::string& condition) {
    if (lines.size() == 1) {
        lines.front().insert(0, condition);
    } else {
        lines.insert(lines.begin(), condition.substr(0, condition.size() - 1));
    }
    return lines;
}

Lines remedy_with_condition(const Evidence& evidence,
                            Reason reason,
                            SenderKind kind,
                            const Requirements& requirements,
                            Clients clients) {
    Lines lines = remedy_at_sender(evidence, reason, kind, requirements, clients);
    return lines.empty() || !is_for_host(reason, kind, evidence) || is_host_of_sender(evidence)
               ? lines
               : with_condition(std::move(lines), condition_of(evidence, kind, clients));
}

// What the site can do itself for those who pass on mail to it.
std::string exemption_of_ours(Reason reason, SenderKind kind, Clients clients) {
    if (reason == Reason::unauthenticated && kind == SenderKind::forwarded) {
        return "Or, where it forwards for your own users: " + exempt_line(clients);
    }
    const bool passes_on = kind == SenderKind::mailing_list || kind == SenderKind::forwarded;
    if (reason == Reason::unaligned && passes_on) {
        return "Or, where it is a list or a forwarder of your users: " + exempt_line(clients);
    }
    return "";
}

} // namespace

std::vector<std::string> remedy_for(const Evidence& evidence,
                                    Reason reason,
                                    SenderKind kind,
                                    std::span<const Address> clients) {
    if (kind == SenderKind::own_range && !is_temperror(reason)) {
        return {"If these hosts are yours: " + exempt_line(clients)};
    }
    Lines lines = remedy_with_condition(evidence, reason, kind, Requirements{}, clients);
    if (auto ours = exemption_of_ours(reason, kind, clients); !ours.empty()) {
        lines.push_back(std::move(ours));
    }
    const bool may_be_forged = kind != SenderKind::forwarded && !is_host_of_sender(evidence);
    if (may_be_forged && is_for_host(reason, kind, evidence)) {
        lines.emplace_back("Or it is forged, and nothing need be done.");
    }
    return lines;
}

std::vector<std::string> remedy_for_sender(const Evidence& evidence,
                                           Reason reason,
                                           const Requirements& requirements,
                                           std::span<const Address> clients) {
    const SenderKind kind = kind_of(evidence, "");
    return remedy_with_condition(evidence,
                                 reason,
                                 kind == SenderKind::own_range ? SenderKind::direct : kind,
                                 requirements,
                                 clients);
}

bool is_host_of_sender(const Evidence& evidence) {
    const auto& spf = spf_that_counts(evidence);
    const bool is_listed = spf && spf->result == SpfResult::pass && !spf->is_wide;
    return is_listed || has_name_in(evidence, domain_of_sender(evidence));
}

} // namespace policy
