#include "policy/fault.hpp"

#include "policy/printable.hpp"
#include "policy/spf_identity.hpp"

#include <algorithm>
#include <cstddef>

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

std::string author_found(const Evidence& evidence) {
    const auto domain = evidence.from_domain.value_or("");
    return domain.empty() ? "no one domain in From" : "From " + printable(domain);
}

std::string sender_domain_found(const Evidence& evidence) {
    return printable(evidence.mail_from_domain);
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
        return "neither MX nor address for " + sender_domain_found(evidence);
    case Reason::sender_domain_null_mx: return "null MX for " + sender_domain_found(evidence);
    case Reason::sender_domain_temperror:
        return "MX of " + sender_domain_found(evidence) + " cannot be looked up";
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

} // namespace policy
