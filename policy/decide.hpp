// The one place that judges mail.
#pragma once

#include "policy/evidence.hpp"
#include "policy/rules.hpp"
#include "policy/verdict.hpp"

#include <optional>
#include <string_view>

namespace policy {

// The verdict on `evidence`, or nothing while evidence that could still change it is not in: also
// which stage applies may depend on it. Of stages that differ by recipient the strictest speaks.
// Pure: no clock, no network, no state. Called at RCPT (with that recipient alone) and at the end
// of the message, by the milter, by explain and by the tests alike.
std::optional<Verdict> decide(const Evidence& evidence, const Policy& policy);

// Why this client is not judged, from what is known so far; empty where it will be.
std::optional<Exemption> exemption_of(const Evidence& evidence, const Policy& policy);

// Whether it comes from ourselves: from this host, or from a network that is exempt.
bool is_inside(const Evidence& evidence, const Policy& policy);

// Whether `recipient` must come in a transaction of its own, without those that `evidence` has: for
// it the policy might say something else, or it is a probe's address and they are not.
bool is_split_off(const Evidence& evidence, const Policy& policy, std::string_view recipient);

// `evidence` as it is to be reported: what the stage does not count does not read pass.
Evidence as_counted(Evidence evidence, const Stage& stage);

// What the stage and the mode of `verdict` answer to mail with its reason.
Action action_in_mode(const Verdict& verdict);

// What to answer when the program itself has failed: the strictest mode that might apply to what is
// known says it.
Action action_in_trouble(const Evidence& evidence, const Policy& policy);
Action action_in_trouble(const Policy& policy); // where nothing is

} // namespace policy
