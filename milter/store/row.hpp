// An entry as a store has it, which may be damaged.
#pragma once

#include "milter/store/store.hpp"
#include "policy/journal.hpp"

#include <string>

namespace store {

struct Row {
    Store::Position position = 0;
    policy::JournalEntry entry; // with trouble, only what has columns
    std::string trouble;        // why it cannot be read; empty: it can
};

// Counts a row with trouble.
inline void note(const std::string& trouble, Unreadable& unreadable) {
    if (unreadable.entries++ == 0) {
        unreadable.trouble = trouble;
    }
}

// What no column answers of a filter.
inline bool is_meant_by_details(const Filter& filter, const policy::JournalEntry& entry) {
    return (!filter.reason || entry.verdict.reason == filter.reason) &&
           (filter.stage.empty() || entry.verdict.stage == filter.stage);
}

} // namespace store
