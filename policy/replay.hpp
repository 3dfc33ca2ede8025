// What a policy makes of mail that has come and gone: the journal's entries, judged once more.
#pragma once

#include "policy/journal.hpp"
#include "policy/rules.hpp"
#include "policy/verdict.hpp"

#include <optional>
#include <vector>

namespace policy {

// The verdict of `policy` on what is known of the entry's message. Empty where that is too little:
// what a closed stage refused was never checked, and nobody may have asked for what `policy`
// chooses its stages by. Recipients that `policy` would part count as one message.
std::optional<Verdict> replayed(const JournalEntry& entry, const Policy& policy);

// Whether `policy` answers before the end of a message, recipient by recipient: a stage is closed.
bool answers_recipients(const Policy& policy);

// The entry as `policy` would have had it: one for each recipient that it refuses by itself, and
// one with the others, where there are any. Most often that is the entry as it is.
std::vector<JournalEntry> parted(const JournalEntry& entry, const Policy& policy);

} // namespace policy
