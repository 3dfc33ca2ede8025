#include "policy/replay.hpp"

#include "policy/decide.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace policy {

namespace {

// What is known when RCPT is to be answered: no check is waited for.
Evidence at_rcpt(const Evidence& evidence) {
    Evidence known = evidence;
    known.recipients.clear();
    known.is_from_list = false;
    known.iprev.reset();
    known.spf_mail_from.reset();
    known.spf_helo.reset();
    known.dkim.reset();
    return known;
}

} // namespace

std::optional<Verdict> replayed(const JournalEntry& entry, const Policy& policy) {
    return decide(as_counted(entry.evidence, policy), policy);
}

bool answers_recipients(const Policy& policy) {
    return std::ranges::find(policy.stages, Mode::closed, &Stage::mode) != policy.stages.end();
}

std::vector<JournalEntry> parted(const JournalEntry& entry, const Policy& policy) {
    std::vector<JournalEntry> parts;
    std::vector<std::string> others;
    Evidence alone = at_rcpt(entry.evidence);
    for (const auto& recipient : entry.evidence.recipients) {
        alone.recipients = {recipient};
        const auto verdict = decide(alone, policy);
        if (verdict && verdict->action != Action::accept) {
            parts.push_back(entry);
            parts.back().evidence.recipients = {recipient};
        } else {
            others.push_back(recipient);
        }
    }
    if (parts.empty() || !others.empty()) {
        parts.push_back(entry);
        parts.back().evidence.recipients = std::move(others);
    }
    return parts;
}

} // namespace policy
