// The stages of a policy as they were understood, for whoever has written them.
#pragma once

#include "policy/rules.hpp"

#include <string>

namespace milter {

// A line for each: "  2  world     soft     10 percent of senders, from 2027-02-01 00:00 UTC".
std::string stage_list(const policy::Policy& policy);

} // namespace milter
