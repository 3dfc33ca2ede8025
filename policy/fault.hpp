// What was wrong with a message and what mends it, in words that a postmaster can send on.
#pragma once

#include "policy/evidence.hpp"
#include "policy/rules.hpp"
#include "policy/sender_kind.hpp"

#include <span>
#include <string>
#include <vector>

namespace policy {

// What `reason` rests on: "no PTR record", "SPF softfail for example.org; no DKIM signature". It
// does not name the client. Printable ASCII.
std::string fault_found(const Evidence& evidence, Reason reason);

// The same in a few words: "PTR leads elsewhere", "SPF softfail, no DKIM".
std::string fault_in_short(const Evidence& evidence, Reason reason);

// What to publish, or to do, one line each; records as a zone file has them. `clients` are some of
// the addresses with this fault, the first of them that of `evidence`. Printable ASCII.
std::vector<std::string> remedy_for(const Evidence& evidence,
                                    Reason reason,
                                    SenderKind kind,
                                    std::span<const Address> clients);

// The same for the sender, who reads it: nothing is said as if the client were ours, nor what we
// could do ourselves.
std::vector<std::string>
remedy_for_sender(const Evidence& evidence, Reason reason, std::span<const Address> clients);

} // namespace policy
