#include "policy/decide.hpp"

#include "policy/ascii.hpp"
#include "policy/grace.hpp"
#include "policy/probe.hpp"
#include "policy/spf_identity.hpp"
#include "policy/stage_choice.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace policy {

namespace {

// What one requirement, or all of them, found. The order is the order in which they speak: what
// certainly falls short outweighs what cannot be told, so that 4xx means that only a temporary
// error stands between.
enum class Standing : std::uint8_t { meets, cannot_tell, falls_short };

struct Finding {
    Standing standing = Standing::meets;
    Reason reason = Reason::closed; // where the requirement is not met
};

constexpr Finding meets{};

constexpr Finding falls_short(Reason reason) {
    return {Standing::falls_short, reason};
}

constexpr Finding cannot_tell(Reason reason) {
    return {Standing::cannot_tell, reason};
}

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

// The requirement that speaks: the first of those that are furthest from being met.
Finding judge(const Evidence& evidence, const Requirements& required) {
    const auto findings = findings_of(evidence, required);
    const Finding speaks =
        *std::ranges::max_element(findings, {}, [](const Finding& each) { return each.standing; });
    const bool is_waived =
        speaks.standing == Standing::cannot_tell && required.on_temperror == OnTemperror::accept;
    return is_waived ? meets : speaks;
}

Action action_of(const ReplyCode& code) {
    return code.is_permanent() ? Action::reject : Action::tempfail;
}

// All evidence is gathered before an answer, so that fields and journal are whole.
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

// Only these, and at least one: one exempt recipient among others exempts nothing.
bool goes_to_exempt_only(const Evidence& evidence, const Policy& policy) {
    const auto is_exempt = [&](const std::string& recipient) {
        return matches_any(policy.exempt_recipients, recipient);
    };
    return !evidence.recipients.empty() && std::ranges::all_of(evidence.recipients, is_exempt);
}

Verdict judged(const Stage& stage, const Finding& finding) {
    Verdict verdict{.stage = stage.name, .mode = stage.mode};
    if (finding.standing == Standing::meets) {
        return verdict;
    }
    const ReplyTemplate& row = stage.replies[finding.reason];
    verdict.reason = finding.reason;
    verdict.would_soft = action_of(row.soft);
    verdict.would_enforce = action_of(row.enforce);
    verdict.action = action_in_mode(verdict);
    return verdict;
}

// What is only put off is not for ever: a soft stage hardens for a sender that does not mend. What
// cannot be told, and what is refused for good anyway, stays as it is.
Verdict hardened(Verdict verdict, const Stage& stage, const Evidence& evidence) {
    const bool is_put_off = verdict.mode == Mode::soft && verdict.action == Action::tempfail &&
                            !is_temperror(verdict.reason.value());
    if (is_put_off && stage.grace && is_used_up(*stage.grace, evidence)) {
        verdict.mode = mode_after(*stage.grace);
        verdict.action = action_in_mode(verdict);
    }
    return verdict;
}

// A stage before the one that is chosen might have applied, had a name been looked up: nobody is
// refused for good by a stage that may not be theirs. This is never waived.
Finding with_doubt(const Finding& finding, const Evidence& evidence, SelectorPart doubt) {
    if (finding.standing != Standing::falls_short) {
        return finding;
    }
    if (doubt == SelectorPart::reverse_names) {
        return cannot_tell(Reason::reverse_name_temperror);
    }
    const auto& spf = evidence.spf_mail_from;
    return cannot_tell(spf && spf->result == SpfResult::temperror ? Reason::authentication_temperror
                                                                  : Reason::dkim_temperror);
}

// The verdict of one stage, or nothing while it could still be another's.
std::optional<Verdict>
decide_in(const Choice& choice, const Evidence& evidence, const Policy& policy) {
    const Stage& stage = *choice.stage;
    const bool is_complete_for_stage = is_complete(evidence, stage.requirements);
    if (choice.doubt && (evidence.phase < Phase::end_of_message || !is_complete_for_stage)) {
        return std::nullopt;
    }
    if (stage.mode == Mode::off) {
        return Verdict{.stage = stage.name};
    }
    const bool is_exempt = goes_to_exempt_only(evidence, policy);
    const bool is_closed = stage.mode == Mode::closed && !is_exempt;
    if (!is_closed && !is_complete_for_stage) {
        return std::nullopt;
    }
    const Finding finding =
        is_closed ? falls_short(Reason::closed) : judge(evidence, stage.requirements);
    Verdict verdict =
        judged(stage, choice.doubt ? with_doubt(finding, evidence, *choice.doubt) : finding);
    verdict = hardened(std::move(verdict), stage, evidence);
    if (is_exempt) {
        verdict.action = Action::accept;
        verdict.exemption = Exemption::recipients;
    }
    return verdict;
}

// Where all go on, the field that `tag` adds is not lost for another stage's verdict.
bool is_stricter(const Verdict& a, const Verdict& b) {
    const auto rank = [](const Verdict& verdict) {
        return std::tuple{
            verdict.action, verdict.mode == Mode::tag, verdict.reason.has_value(), verdict.mode};
    };
    return rank(a) > rank(b);
}

// Of stages that differ by recipient the strictest speaks.
std::optional<Verdict> decide_for_all(const Evidence& evidence, const Policy& policy) {
    std::optional<Verdict> strictest;
    for (const Choice& choice : choices_for(policy, evidence)) {
        const auto verdict = decide_in(choice, evidence, policy);
        if (!verdict) {
            return std::nullopt;
        }
        if (!strictest || is_stricter(*verdict, *strictest)) {
            strictest = verdict;
        }
    }
    return strictest;
}

bool may_refuse(const Stage* stage) {
    return stage->mode >= Mode::soft;
}

} // namespace

std::optional<Exemption> exemption_of(const Evidence& evidence, const Policy& policy) {
    if (!evidence.client || evidence.client->is_loopback() || evidence.client->is_link_local() ||
        evidence.client->is_unspecified()) {
        return Exemption::local;
    }
    const auto holds_client = [&](const Prefix& prefix) {
        return prefix.contains(*evidence.client);
    };
    if (std::ranges::any_of(policy.exempt_networks, holds_client)) {
        return Exemption::network;
    }
    if (evidence.client->is_ipv4()) {
        return Exemption::ipv4;
    }
    if (evidence.is_authenticated) {
        return Exemption::authenticated;
    }
    return std::nullopt;
}

bool is_inside(const Evidence& evidence, const Policy& policy) {
    const auto exemption = exemption_of(evidence, policy);
    return exemption == Exemption::local || exemption == Exemption::network;
}

std::optional<Verdict> decide(const Evidence& evidence, const Policy& policy) {
    const auto exemption = exemption_of(evidence, policy);
    const bool is_test = is_probe(policy, evidence);
    if (is_test && evidence.is_over_probe_limit) { // nothing need be known of it
        return Verdict{.action = Action::tempfail, .exemption = exemption, .is_probe = true};
    }
    auto verdict = exemption ? Verdict{.exemption = exemption} : decide_for_all(evidence, policy);
    if (!verdict || !is_test) {
        return verdict;
    }
    // It is never delivered, and tells all that there is to tell.
    const bool is_told_all =
        evidence.phase == Phase::end_of_message && is_complete(evidence, Requirements{});
    if (!exemption && !is_told_all) {
        return std::nullopt;
    }
    verdict->is_probe = true;
    verdict->action = Action::reject;
    return verdict;
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

bool is_split_off(const Evidence& evidence, const Policy& policy, std::string_view recipient) {
    if (evidence.recipients.empty() || is_inside(evidence, policy)) {
        return false;
    }
    // They would not be together if they differed, so the first stands for all.
    const std::string& first = evidence.recipients.front();
    if (is_probe(policy, recipient) != is_probe(policy, first)) {
        return true;
    }
    return policy.mixed_recipients == MixedRecipients::split && !exemption_of(evidence, policy) &&
           may_differ(policy, evidence, recipient, first);
}

Evidence as_counted(Evidence evidence, const Stage& stage) {
    for (auto* const spf : {&evidence.spf_mail_from, &evidence.spf_helo}) {
        if (*spf && (*spf)->is_wide) { // a pass, or what another policy has made of one
            const bool counts = stage.requirements.count_wide_spf;
            (*spf)->result = counts ? SpfResult::pass : SpfResult::policy;
            (*spf)->problem = counts ? "" : "passes for so many addresses that it does not count";
        }
    }
    return evidence;
}

Action action_in_mode(const Verdict& verdict) {
    switch (verdict.mode) {
    case Mode::off:
    case Mode::observe:
    case Mode::tag: break;
    case Mode::soft: return verdict.would_soft;
    case Mode::enforce:
    case Mode::closed: return verdict.would_enforce;
    }
    return Action::accept;
}

Action action_in_trouble(const Evidence& evidence, const Policy& policy) {
    if (exemption_of(evidence, policy)) {
        return Action::accept;
    }
    const auto possible = possible_stages(policy, evidence, std::nullopt);
    return std::ranges::any_of(possible, may_refuse) ? Action::tempfail : Action::accept;
}

Action action_in_trouble(const Policy& policy) {
    const auto refuses = [](const Stage& stage) { return may_refuse(&stage); };
    return std::ranges::any_of(policy.stages, refuses) ? Action::tempfail : Action::accept;
}

} // namespace policy
