#include "policy/requirements.hpp"

#include "policy/ascii.hpp"
#include "policy/spf_identity.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace policy {

namespace {

constexpr Finding meets{};

Finding judge_reverse_name(ReverseName required, const IprevEvidence& iprev) {
    if (required == ReverseName::any) {
        return meets;
    }
    // A name is there, wherever it leads: that is all that `present` asks.
    if (required == ReverseName::present && !iprev.names.empty()) {
        return meets;
    }
    switch (iprev.result) {
    case IprevResult::pass: return meets;
    case IprevResult::fail: return falls_short(Reason::reverse_name_mismatch);
    case IprevResult::permerror: return falls_short(Reason::reverse_name_missing);
    case IprevResult::temperror: return cannot_tell(Reason::reverse_name_temperror);
    }
    return cannot_tell(Reason::reverse_name_temperror);
}

Standing judge_spf_result(const SpfEvidence& spf, const Requirements& required) {
    switch (spf.result) {
    case SpfResult::pass:
    case SpfResult::policy: // a wide pass that did not count where this was first judged
        return spf.is_wide && !required.count_wide_spf ? Standing::falls_short : Standing::meets;
    case SpfResult::temperror: return Standing::cannot_tell;
    case SpfResult::none:
    case SpfResult::neutral:
    case SpfResult::fail:
    case SpfResult::softfail:
    case SpfResult::permerror: return Standing::falls_short;
    }
    return Standing::cannot_tell;
}

// Few hosts publish SPF for their own name, and an unsigned bounce has nothing else to show: a
// HELO name that leads back to the client says as much as an SPF pass of it would.
Standing judge_helo_name(const Evidence& evidence) {
    const auto& names = evidence.iprev->names;
    const auto found = std::ranges::find_if(
        names, [&](const IprevName& name) { return same_name(name.name, evidence.helo); });
    if (found == names.end()) {
        const bool may_be_one = names.empty() && evidence.iprev->result == IprevResult::temperror;
        return may_be_one ? Standing::cannot_tell : Standing::falls_short;
    }
    switch (found->outcome) {
    case NameOutcome::leads_back: return Standing::meets;
    case NameOutcome::not_looked_up: return Standing::cannot_tell;
    case NameOutcome::elsewhere:
    case NameOutcome::no_address: break;
    }
    return Standing::falls_short;
}

Standing judge_spf(const Evidence& evidence, const Requirements& required) {
    const Standing spf = judge_spf_result(*spf_that_counts(evidence), required);
    const bool helo_name_counts = required.null_reverse_path == NullReversePath::helo_name;
    if (!evidence.mail_from.empty() || !helo_name_counts) {
        return spf;
    }
    return std::min(spf, judge_helo_name(evidence));
}

Standing judge_dkim(const std::vector<DkimSignature>& signatures) {
    const auto has = [&](DkimResult result) {
        return std::ranges::find(signatures, result, &DkimSignature::result) != signatures.end();
    };
    if (has(DkimResult::pass)) {
        return Standing::meets;
    }
    return has(DkimResult::temperror) ? Standing::cannot_tell : Standing::falls_short;
}

std::string_view organization_of(const Evidence& evidence, std::string_view domain) {
    const auto found = std::ranges::find_if(evidence.organizations, [&](const Organization& each) {
        return same_name(each.domain, domain);
    });
    return found == evidence.organizations.end() ? domain
                                                 : std::string_view{found->organizational_domain};
}

// What is left of SPF and DKIM when only domains of the author's organization count.
Evidence aligned_part(Evidence evidence) {
    const std::string author{organization_of(evidence, evidence.from_domain.value_or(""))};
    const auto is_aligned = [&](const std::string& domain) {
        return !author.empty() && same_name(organization_of(evidence, domain), author);
    };
    for (auto* const spf : {&evidence.spf_mail_from, &evidence.spf_helo}) {
        if (*spf && !is_aligned((*spf)->domain)) {
            (*spf)->result = SpfResult::none;
        }
    }
    std::erase_if(*evidence.dkim,
                  [&](const DkimSignature& each) { return !is_aligned(each.sdid); });
    return evidence;
}

Finding judge_spf_and_dkim(const Evidence& evidence, const Requirements& required) {
    const Standing spf = judge_spf(evidence, required);
    const Standing dkim = judge_dkim(*evidence.dkim);
    const bool both = required.authentication == Authentication::spf_and_dkim;
    switch (both ? std::max(spf, dkim) : std::min(spf, dkim)) {
    case Standing::meets: return meets;
    case Standing::falls_short: return falls_short(Reason::unauthenticated);
    case Standing::cannot_tell: break;
    }
    return cannot_tell(spf == Standing::cannot_tell ? Reason::authentication_temperror
                                                    : Reason::dkim_temperror);
}

Finding judge_alignment(const Evidence& evidence, const Requirements& required) {
    Requirements either = required;
    either.authentication = Authentication::spf_or_dkim;
    either.null_reverse_path = NullReversePath::strict; // a host's name is nobody's author
    const Finding aligned = judge_spf_and_dkim(aligned_part(evidence), either);
    const bool is_authenticated = judge_spf_and_dkim(evidence, either).standing == Standing::meets;
    return aligned.standing == Standing::falls_short && is_authenticated
               ? falls_short(Reason::unaligned)
               : aligned;
}

Finding judge_authentication(const Evidence& evidence, const Requirements& required) {
    switch (required.authentication) {
    case Authentication::any: return meets;
    case Authentication::aligned: return judge_alignment(evidence, required);
    case Authentication::spf_or_dkim:
    case Authentication::spf_and_dkim: break;
    }
    return judge_spf_and_dkim(evidence, required);
}

// The null path has no domain, and needs no bounce.
Finding judge_sender_domain(const Evidence& evidence, const Requirements& required) {
    if (required.sender_domain == SenderDomain::any || !evidence.sender_domain) {
        return meets;
    }
    switch (evidence.sender_domain->result) {
    case SenderDomainResult::reachable: return meets;
    case SenderDomainResult::unreachable: return falls_short(Reason::sender_domain_unreachable);
    case SenderDomainResult::null_mx: return falls_short(Reason::sender_domain_null_mx);
    case SenderDomainResult::temperror: break;
    }
    return cannot_tell(Reason::sender_domain_temperror);
}

std::array<Finding, 3> findings_of(const Evidence& evidence, const Requirements& required) {
    return {judge_reverse_name(required.reverse_name, *evidence.iprev),
            judge_authentication(evidence, required),
            judge_sender_domain(evidence, required)};
}

} // namespace

Finding judge(const Evidence& evidence, const Requirements& required) {
    const auto findings = findings_of(evidence, required);
    const Finding speaks =
        *std::ranges::max_element(findings, {}, [](const Finding& each) { return each.standing; });
    const bool is_waived =
        speaks.standing == Standing::cannot_tell && required.on_temperror == OnTemperror::accept;
    return is_waived ? meets : speaks;
}

std::vector<Reason> faults_of(const Evidence& evidence, const Requirements& required) {
    std::vector<Reason> faults;
    for (const Finding& finding : findings_of(evidence, required)) {
        if (finding.standing != Standing::meets) {
            faults.push_back(finding.reason);
        }
    }
    return faults;
}

bool is_complete(const Evidence& evidence, const Requirements& required) {
    // What has no domain that can be read is the MTA's to refuse, or to complete.
    const bool needs_sender_domain =
        required.sender_domain == SenderDomain::reachable && !evidence.mail_from_domain.empty();
    const bool needs_author = required.authentication == Authentication::aligned;
    return evidence.iprev && evidence.spf_helo && evidence.dkim &&
           (evidence.spf_mail_from || evidence.mail_from.empty()) &&
           (evidence.sender_domain || !needs_sender_domain) &&
           (evidence.from_domain || !needs_author);
}

} // namespace policy
