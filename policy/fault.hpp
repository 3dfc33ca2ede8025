// What was wrong with a message, in words that a postmaster can send on.
#pragma once

#include "policy/evidence.hpp"
#include "policy/rules.hpp"

#include <string>

namespace policy {

// What `reason` rests on: "no PTR record", "SPF softfail for example.org; no DKIM signature". It
// does not name the client. Printable ASCII.
std::string fault_found(const Evidence& evidence, Reason reason);

// The same in a few words: "PTR leads elsewhere", "SPF softfail, no DKIM".
std::string fault_in_short(const Evidence& evidence, Reason reason);

} // namespace policy
