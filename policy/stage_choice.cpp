#include "policy/stage_choice.hpp"

#include <algorithm>
#include <iterator>

namespace policy {

namespace {

using Recipient = std::optional<std::string_view>;
using Stages = std::vector<const Stage*>;

// What is not known of the parts of a selector, but for `left_out`.
std::optional<SelectorPart> unknown_part(const Stage& stage,
                                         const Evidence& evidence,
                                         Recipient recipient,
                                         std::optional<SelectorPart> left_out) {
    for (const auto& [part, match] : matches_of(stage.selector, evidence, recipient)) {
        if (match == Match::unknown && part != left_out) {
            return part;
        }
    }
    return std::nullopt;
}

std::optional<SelectorPart> doubt_of_two_readings(const Stages& possible,
                                                  const Evidence& evidence,
                                                  std::string_view recipient) {
    if (possible.size() == 1) {
        return std::nullopt;
    }
    for (const Stage* const stage : possible) {
        if (auto part = unknown_part(*stage, evidence, recipient, SelectorPart::recipients)) {
            return part;
        }
    }
    // No more will be known of the recipient; the rest may be.
    return evidence.phase == Phase::end_of_message ? std::nullopt
                                                   : std::optional{SelectorPart::recipients};
}

// Whose recipient has two readings may be under any of the stages that are possible for it, and the
// strictest of them applies: to write it so must not be a way around.
std::vector<Choice>
choices_of(const Policy& policy, const Evidence& evidence, std::string_view recipient) {
    if (has_one_reading(recipient)) {
        return {choose(policy, evidence, recipient)};
    }
    const Stages possible = possible_stages(policy, evidence, recipient);
    const auto doubt = doubt_of_two_readings(possible, evidence, recipient);
    std::vector<Choice> choices;
    std::ranges::transform(possible, std::back_inserter(choices), [&](const Stage* stage) {
        return Choice{stage, doubt};
    });
    return choices;
}

bool refuses_nothing(const Stage* stage) {
    return stage->mode < Mode::soft;
}

bool answer_alike(const Stage* a, const Stage* b) {
    return a == b || (refuses_nothing(a) && refuses_nothing(b)) ||
           (a->mode == b->mode && a->requirements == b->requirements && a->replies == b->replies &&
            a->help_url == b->help_url && a->grace == b->grace);
}

// Without those that answer as the one before them does.
Stages answering_apart(Stages possible) {
    possible.erase(std::unique(possible.begin(), possible.end(), answer_alike), possible.end());
    return possible;
}

} // namespace

std::vector<const Stage*> possible_stages(const Policy& policy,
                                          const Evidence& evidence,
                                          std::optional<std::string_view> recipient) {
    std::vector<const Stage*> possible;
    for (const Stage& stage : policy.stages) {
        const Match found = match(stage.selector, evidence, recipient);
        if (found != Match::no) {
            possible.push_back(&stage);
        }
        if (found == Match::yes) {
            break;
        }
    }
    return possible;
}

Choice
choose(const Policy& policy, const Evidence& evidence, std::optional<std::string_view> recipient) {
    if (policy.stages.size() == 1) {
        return {&policy.stages.back()};
    }
    const auto possible = possible_stages(policy, evidence, recipient);
    if (possible.empty()) {
        return {&policy.stages.back()};
    }
    const bool is_certain = possible.size() == 1;
    return {possible.back(),
            is_certain ? std::nullopt
                       : unknown_part(*possible.front(), evidence, recipient, std::nullopt)};
}

std::vector<Choice> choices_for(const Policy& policy, const Evidence& evidence) {
    if (evidence.recipients.empty()) {
        // After RCPT there will be none any more; "" is nobody's address.
        const bool is_known = evidence.phase >= Phase::rcpt;
        return {choose(
            policy, evidence, is_known ? std::optional<std::string_view>{""} : std::nullopt)};
    }
    const bool is_one = !looks_at_recipients(policy);
    std::vector<Choice> choices;
    for (const auto& recipient : evidence.recipients) {
        for (const Choice& choice : choices_of(policy, evidence, recipient)) {
            if (std::ranges::find(choices, choice) == choices.end()) {
                choices.push_back(choice);
            }
        }
        if (is_one) {
            break;
        }
    }
    return choices;
}

bool may_differ(const Policy& policy,
                const Evidence& evidence,
                std::string_view recipient,
                std::string_view other) {
    return !std::ranges::equal(answering_apart(possible_stages(policy, evidence, recipient)),
                               answering_apart(possible_stages(policy, evidence, other)),
                               answer_alike);
}

bool looks_at_recipients(const Policy& policy) {
    const auto looks = [](const Stage& stage) {
        return !stage.selector.recipients.empty() || stage.mode == Mode::closed;
    };
    return !policy.probe_recipients.empty() || std::ranges::any_of(policy.stages, looks);
}

bool asks_for_sender_domain(const Policy& policy) {
    return std::ranges::any_of(policy.stages, [](const Stage& stage) {
        return stage.requirements.sender_domain == SenderDomain::reachable;
    });
}

std::vector<Time> bounds_of_stages(const Policy& policy) {
    std::vector<Time> bounds;
    for (const Stage& stage : policy.stages) {
        for (const auto& bound : {stage.selector.from, stage.selector.until}) {
            if (bound) {
                bounds.push_back(*bound);
            }
        }
    }
    return bounds;
}

bool closes_at_helo(const Policy& policy) {
    return std::ranges::any_of(policy.stages, [](const Stage& stage) {
        return stage.mode == Mode::closed && stage.closed_at == ClosedAt::helo;
    });
}

const Stage& stage_named(const Policy& policy, std::string_view name) {
    const auto found = std::ranges::find(policy.stages, name, &Stage::name);
    return found == policy.stages.end() ? policy.stages.back() : *found;
}

} // namespace policy
