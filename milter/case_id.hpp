// The name of one judgement, told to the sender and written to log and journal.
#pragma once

#include <string>

namespace milter {

// 12 characters, 60 random bits: unique across hosts, easy to read out over a telephone.
std::string new_case_id();

} // namespace milter
