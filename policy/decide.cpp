#include "policy/decide.hpp"

#include "policy/grace.hpp"
#include "policy/probe.hpp"
#include "policy/requirements.hpp"
#include "policy/stage_choice.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace policy {

namespace {

Action action_of(const ReplyCode& code) {
    return code.is_permanent() ? Action::reject : Action::tempfail;
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
