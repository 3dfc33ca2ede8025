// Sixgate-Policy: what the policy would have answered, for filters behind us to score.
#pragma once

#include "policy/rules.hpp"
#include "policy/verdict.hpp"

#include <string>

namespace policy {

inline constexpr std::string_view policy_field_name = "Sixgate-Policy";

// "pass; stage=default", or "fail; reason=unauthenticated; stage=default; soft=450 4.7.26; ...".
// A temporary error that stands between reads "temperror".
std::string policy_field(const Verdict& verdict, const Policy& policy);

} // namespace policy
