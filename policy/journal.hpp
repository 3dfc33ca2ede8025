// The record of a verdict: an entry of the journal, and the line of the log that says the same.
#pragma once

#include "policy/evidence.hpp"
#include "policy/rules.hpp"
#include "policy/verdict.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace policy {

// What happened to one message.
struct JournalEntry {
    Time time;
    std::string host; // that judged it
    std::string case_id;
    std::string queue_id;           // of the MTA; empty where it has told none
    Evidence evidence;              // as_counted()
    Verdict verdict;                // with what the stricter modes would have answered
    std::optional<ReplyCode> reply; // what was answered; empty: the message went on

    friend bool operator==(const JournalEntry&, const JournalEntry&) = default;
};

// "case=... queue_id=... client=... ..." without a line end and without the time, which syslog
// has. Local parts of addresses are not in it. The names of the fields are interface: sixgate(8)
// lists them.
std::string log_line(const JournalEntry& entry);

// ` name=value`, quoted where logfmt needs it. Of the value `limit` octets, before they are quoted.
std::string logfmt(std::string_view name, std::string_view value, std::size_t limit = 400);

} // namespace policy
