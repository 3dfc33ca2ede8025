#include "policy/replay.hpp"

#include "policy/decide.hpp"
#include "policy/selector.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace policy {

namespace {

// Not what could not be looked up, or read in one way, at the time: decide() has its answer to it.
bool was_not_asked_for(SelectorPart part, const Evidence& evidence) {
    switch (part) {
    case SelectorPart::percent: return !evidence.percentile;
    case SelectorPart::from:
    case SelectorPart::until: return !evidence.time;
    case SelectorPart::networks:
    case SelectorPart::listeners:
    case SelectorPart::recipients:
    case SelectorPart::reverse_names:
    case SelectorPart::authenticated: break;
    }
    return false;
}

// Whether a stage might have applied, had it been asked for what selects it.
bool lacks_what_selects(const Evidence& evidence,
                        const Policy& policy,
                        std::string_view recipient) {
    for (const Stage& stage : policy.stages) {
        const auto parts = matches_of(stage.selector, evidence, recipient);
        const auto has = [&](Match match) {
            return std::ranges::find(parts, match, &PartMatch::match) != parts.end();
        };
        if (has(Match::no)) {
            continue;
        }
        if (!has(Match::unknown)) {
            return false;
        }
        if (std::ranges::any_of(parts, [&](const PartMatch& each) {
                return was_not_asked_for(each.part, evidence);
            })) {
            return true;
        }
    }
    return false;
}

bool lacks_what_selects(const Evidence& evidence, const Policy& policy) {
    if (evidence.recipients.empty()) {
        return lacks_what_selects(evidence, policy, "");
    }
    return std::ranges::any_of(evidence.recipients, [&](const std::string& recipient) {
        return lacks_what_selects(evidence, policy, recipient);
    });
}

} // namespace

std::optional<Verdict> replayed(const JournalEntry& entry, const Policy& policy) {
    const Evidence& evidence = entry.evidence;
    const bool has_all_that_selects = evidence.percentile && evidence.time;
    if (!has_all_that_selects && !exemption_of(evidence, policy) &&
        lacks_what_selects(evidence, policy)) {
        return std::nullopt;
    }
    return decide(evidence, policy);
}

bool answers_recipients(const Policy& policy) {
    return has_mode(policy, Mode::closed);
}

std::vector<JournalEntry> parted(const JournalEntry& entry, const Policy& policy) {
    std::vector<JournalEntry> parts;
    std::vector<std::string> others;
    Evidence alone = before_recipients(entry.evidence);
    JournalEntry part = entry;
    const auto recipients = std::exchange(part.evidence.recipients, {}); // which may be thousands
    for (const auto& recipient : recipients) {
        alone.recipients = {recipient};
        const auto verdict = decide(alone, policy);
        if (verdict && verdict->action != Action::accept) {
            parts.push_back(part);
            parts.back().evidence.recipients = {recipient};
        } else {
            others.push_back(recipient);
        }
    }
    if (parts.empty() || !others.empty()) {
        part.evidence.recipients = std::move(others);
        parts.push_back(std::move(part));
    }
    return parts;
}

} // namespace policy
