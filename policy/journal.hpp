// The record of a verdict. For now one line of the log; logfmt, so that it greps.
#pragma once

#include "policy/evidence.hpp"
#include "policy/reply.hpp"
#include "policy/verdict.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace policy {

// What happened to one message. References: made where it is written.
struct JournalEntry {
    std::string_view case_id;
    std::string_view queue_id; // of the MTA; empty where it has told none
    const Evidence& evidence;
    const Verdict& verdict;
    const std::optional<Reply>& reply; // what was answered; empty: the message went on
};

// "case=... queue_id=... client=... ..." without a line end. Local parts of addresses are not in
// it. The names of the fields are interface: sixgate(8) lists them.
std::string log_line(const JournalEntry& entry);

// ` name=value`, quoted where logfmt needs it.
std::string logfmt(std::string_view name, std::string_view value);

} // namespace policy
