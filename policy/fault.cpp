#include "policy/fault.hpp"

#include "policy/ascii.hpp"
#include "policy/printable.hpp"
#include "policy/spf_identity.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace policy {

namespace {

constexpr std::size_t most_told = 2; // names or signatures: more is for sixgate log
constexpr std::size_t longest_problem = 120;

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
    std::string text;
    for (const auto& part : parts) {
        text += text.empty() ? "" : separator;
        text += part;
    }
    return text;
}

// --- What was found ----------------------------------------------------------------------------

std::string name_found(const IprevName& name) {
    const std::string shown = "PTR " + printable(name.name);
    switch (name.outcome) {
    case NameOutcome::leads_back: return shown + " leads back";
    case NameOutcome::no_address: return shown + " has no AAAA record";
    case NameOutcome::not_looked_up: return shown + " cannot be looked up";
    case NameOutcome::elsewhere: break;
    }
    return shown + " leads to " +
           (name.addresses.empty() ? "another address" : name.addresses.front().to_string());
}

std::string reverse_names_found(const Evidence& evidence, std::string_view none) {
    if (!evidence.iprev || evidence.iprev->names.empty()) {
        return std::string{none};
    }
    std::vector<std::string> parts;
    for (const auto& name : evidence.iprev->names) {
        if (parts.size() < most_told) {
            parts.push_back(name_found(name));
        }
    }
    return joined(parts, ", ");
}

std::string with_problem(std::string_view text, std::string_view problem) {
    std::string out{text};
    return problem.empty() ? out : out + ": " + printable(problem, longest_problem);
}

std::string spf_domain(const Evidence& evidence) {
    return printable(spf_domain_of(evidence));
}

std::string spf_found(const Evidence& evidence) {
    const auto& spf = spf_that_counts(evidence);
    if (!spf) {
        return "SPF not checked";
    }
    const std::string result = "SPF " + std::string{to_string(spf->result)};
    const bool names_domain = spf->result == SpfResult::none && !spf->problem.empty();
    return with_problem(names_domain ? result : result + " for " + spf_domain(evidence),
                        spf->problem);
}

std::string dkim_found(const Evidence& evidence) {
    if (!evidence.dkim || evidence.dkim->empty()) {
        return "no DKIM signature";
    }
    std::vector<std::string> parts;
    for (const auto& signature : *evidence.dkim) {
        if (parts.size() < most_told) {
            parts.push_back(with_problem("DKIM " + std::string{to_string(signature.result)} +
                                             " for " + printable(signature.sdid),
                                         signature.problem));
        }
    }
    return joined(parts, ", ");
}

bool has_dkim_pass(const Evidence& evidence) {
    return evidence.dkim &&
           std::ranges::find(*evidence.dkim, DkimResult::pass, &DkimSignature::result) !=
               evidence.dkim->end();
}

std::string reverse_name_in_short(const Evidence& evidence) {
    const auto is_elsewhere = [](const IprevName& name) {
        return name.outcome == NameOutcome::elsewhere;
    };
    const bool leads_elsewhere =
        evidence.iprev && std::ranges::any_of(evidence.iprev->names, is_elsewhere);
    return leads_elsewhere ? "PTR leads elsewhere" : "PTR name lacks AAAA";
}

std::string dkim_in_short(const Evidence& evidence) {
    if (!evidence.dkim || evidence.dkim->empty()) {
        return "no DKIM";
    }
    const bool passes = has_dkim_pass(evidence);
    return "DKIM " +
           std::string{to_string(passes ? DkimResult::pass : evidence.dkim->front().result)};
}

std::string spf_in_short(const Evidence& evidence) {
    const auto& spf = spf_that_counts(evidence);
    if (!spf) {
        return "SPF not checked";
    }
    return spf->result == SpfResult::none ? "no SPF" : "SPF " + std::string{to_string(spf->result)};
}

// --- What mends it -----------------------------------------------------------------------------

using Clients = std::span<const Address>;
using Lines = std::vector<std::string>;

// RFC 1123 section 2.1 and RFC 1912: what a PTR record may well name.
bool is_host_name(std::string_view name) {
    const auto is_plain = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; };
    const auto last_label = name.substr(name.rfind('.') + 1);
    return name.find('.') != std::string_view::npos && !name.starts_with('.') &&
           name.find("..") == std::string_view::npos && std::ranges::all_of(name, is_plain) &&
           !last_label.empty() && !std::ranges::all_of(last_label, is_digit);
}

std::string zone_name(std::string_view name) {
    return printable(name) + (name.ends_with('.') ? "" : ".");
}

// The records of the first client, which has the HELO name. A name for each of the others is the
// sender's to choose.
Lines ptr_records(const Evidence& evidence, Clients clients) {
    if (clients.empty()) {
        return {};
    }
    const bool is_named = is_host_name(evidence.helo);
    const std::string name = is_named ? zone_name(evidence.helo) : "NAME.";
    Lines lines{clients.front().reverse_name() + ". PTR " + name,
                name + " AAAA " + clients.front().to_string()};
    if (!is_named) {
        lines.emplace_back("NAME is the host's own name.");
    }
    if (clients.size() > 1) {
        std::vector<std::string> others;
        for (const auto& client : clients.subspan(1)) {
            others.push_back(client.to_string());
        }
        lines.push_back("Likewise for " + joined(others, " and ") + '.');
    }
    return lines;
}

Lines aaaa_records(const Evidence& evidence, Clients clients) {
    if (!evidence.iprev || evidence.iprev->names.empty()) {
        return {};
    }
    const std::string name = zone_name(evidence.iprev->names.front().name);
    Lines lines;
    for (const auto& client : clients) {
        lines.push_back(name + " AAAA " + client.to_string());
    }
    lines.emplace_back("Or a PTR record that names a host with this address.");
    return lines;
}

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

std::string spf_line(const Evidence& evidence, Clients clients) {
    const auto& spf = spf_that_counts(evidence);
    const std::string domain = spf_domain(evidence);
    const std::string terms = ip6_terms(clients);
    switch (spf ? spf->result : SpfResult::none) {
    case SpfResult::none: return "An SPF record at " + domain + " that has " + terms;
    case SpfResult::permerror: return "A valid SPF record at " + domain + " that has " + terms;
    case SpfResult::policy:
        return "An SPF record at " + domain + " that passes its own hosts alone, by " + terms;
    case SpfResult::neutral:
    case SpfResult::pass:
    case SpfResult::fail:
    case SpfResult::softfail:
    case SpfResult::temperror: break;
    }
    return terms + " in the SPF record of " + domain;
}

// Hosts that its SPF record does not list, and with no name in it: the domain's own that nobody has
// listed, or anybody's who forges it. It must not be asked to authorise a forger.
bool may_be_forged(const Evidence& evidence) {
    const auto& spf = spf_that_counts(evidence);
    const bool fails =
        spf && (spf->result == SpfResult::fail || spf->result == SpfResult::softfail);
    return fails && !has_name_in(evidence, spf_domain_of(evidence));
}

// The name that the client is known by, or says that it is.
std::string host_of(const Evidence& evidence) {
    const std::string_view name = confirmed_name(evidence);
    return printable(name.empty() ? std::string_view{evidence.helo} : name);
}

// A forwarder's mail carries the author's domain, and no record of that domain is amiss.
Lines remedy_of_forwarder(const Evidence& evidence, Clients clients) {
    return {"At the forwarder, " + host_of(evidence) +
            ": MAIL FROM rewritten to a domain of its own (SRS) whose SPF record has " +
            ip6_terms(clients) + ", or DKIM signatures of its own."};
}

Lines remedy_of_authentication(const Evidence& evidence, SenderKind kind, Clients clients) {
    if (kind == SenderKind::forwarded) {
        return remedy_of_forwarder(evidence, clients);
    }
    const auto& spf = spf_that_counts(evidence);
    if (spf && spf->result == SpfResult::pass) { // both are required
        return {"DKIM signatures that pass."};
    }
    std::string line = (may_be_forged(evidence) ? "If these hosts are theirs: " : "") +
                       spf_line(evidence, clients);
    if (!has_dkim_pass(evidence)) {
        const bool has_signature = evidence.dkim && !evidence.dkim->empty();
        line += has_signature ? ", or DKIM signatures that pass" : ", or DKIM signatures";
    }
    line += evidence.mail_from.empty() ? ", or a HELO name that leads back to it." : ".";
    if (may_be_forged(evidence)) {
        return {line, "Or it is forged, and nothing need be done."};
    }
    return {line};
}

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

std::string author(const Evidence& evidence) {
    const auto domain = evidence.from_domain.value_or("");
    return domain.empty() ? "the one domain of From" : printable(domain);
}

std::string author_found(const Evidence& evidence) {
    const auto domain = evidence.from_domain.value_or("");
    return domain.empty() ? "no one domain in From" : "From " + printable(domain);
}

// Who passes on what others have written can sign for none of them.
Lines remedy_of_alignment(const Evidence& evidence, SenderKind kind) {
    if (kind == SenderKind::mailing_list || kind == SenderKind::forwarded) {
        return {"At " + host_of(evidence) + ": From rewritten to a domain of its own."};
    }
    return {"DKIM signatures of " + author(evidence) + ", or MAIL FROM in that domain."};
}

std::string sender_domain(const Evidence& evidence) {
    return printable(evidence.mail_from_domain);
}

Lines remedy_at_sender(const Evidence& evidence, Reason reason, SenderKind kind, Clients clients) {
    switch (reason) {
    case Reason::reverse_name_missing: return ptr_records(evidence, clients);
    case Reason::reverse_name_mismatch: return aaaa_records(evidence, clients);
    case Reason::reverse_name_temperror:
        return name_servers_of(reverse_name_in_trouble(evidence, clients));
    case Reason::unauthenticated: return remedy_of_authentication(evidence, kind, clients);
    case Reason::unaligned: return remedy_of_alignment(evidence, kind);
    case Reason::authentication_temperror: return name_servers_of(spf_domain(evidence));
    case Reason::dkim_temperror: return name_servers_of(signing_domain_in_trouble(evidence));
    case Reason::sender_domain_unreachable:
        return {"An MX record for " + sender_domain(evidence) +
                " that leads to a host with an address (A or AAAA)."};
    case Reason::sender_domain_null_mx:
        return {"Another MAIL FROM: " + sender_domain(evidence) + " says that it takes no mail."};
    case Reason::sender_domain_temperror: return name_servers_of(evidence.mail_from_domain);
    case Reason::closed: break;
    }
    return {"Nothing to mend: IPv4 is open to it."};
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

std::string fault_found(const Evidence& evidence, Reason reason) {
    switch (reason) {
    case Reason::reverse_name_missing: return "no PTR record";
    case Reason::reverse_name_mismatch:
        return reverse_names_found(evidence, "the PTR record does not lead back");
    case Reason::reverse_name_temperror:
        return reverse_names_found(evidence, "the PTR record cannot be looked up");
    case Reason::unauthenticated: return spf_found(evidence) + "; " + dkim_found(evidence);
    case Reason::unaligned:
        return author_found(evidence) + "; " + spf_found(evidence) + "; " + dkim_found(evidence);
    case Reason::authentication_temperror: return spf_found(evidence);
    case Reason::dkim_temperror: return dkim_found(evidence);
    case Reason::sender_domain_unreachable:
        return "neither MX nor address for " + sender_domain(evidence);
    case Reason::sender_domain_null_mx: return "null MX for " + sender_domain(evidence);
    case Reason::sender_domain_temperror:
        return "MX of " + sender_domain(evidence) + " cannot be looked up";
    case Reason::closed: break;
    }
    return "closed to this client";
}

std::string fault_in_short(const Evidence& evidence, Reason reason) {
    switch (reason) {
    case Reason::reverse_name_missing: return "no PTR record";
    case Reason::reverse_name_mismatch: return reverse_name_in_short(evidence);
    case Reason::reverse_name_temperror: return "PTR not looked up";
    case Reason::unauthenticated: return spf_in_short(evidence) + ", " + dkim_in_short(evidence);
    case Reason::unaligned: return "From not aligned";
    case Reason::authentication_temperror: return "SPF not looked up";
    case Reason::dkim_temperror: return "DKIM not looked up";
    case Reason::sender_domain_unreachable: return "no MX";
    case Reason::sender_domain_null_mx: return "null MX";
    case Reason::sender_domain_temperror: return "MX not looked up";
    case Reason::closed: break;
    }
    return "closed";
}

std::vector<std::string> remedy_for(const Evidence& evidence,
                                    Reason reason,
                                    SenderKind kind,
                                    std::span<const Address> clients) {
    if (kind == SenderKind::own_range && !is_temperror(reason)) {
        return {"If these hosts are yours: " + exempt_line(clients)};
    }
    Lines lines = remedy_at_sender(evidence, reason, kind, clients);
    if (auto ours = exemption_of_ours(reason, kind, clients); !ours.empty()) {
        lines.push_back(std::move(ours));
    }
    return lines;
}

std::vector<std::string>
remedy_for_sender(const Evidence& evidence, Reason reason, std::span<const Address> clients) {
    const SenderKind kind = kind_of(evidence, "");
    return remedy_at_sender(
        evidence, reason, kind == SenderKind::own_range ? SenderKind::direct : kind, clients);
}

} // namespace policy
