// The one place that judges mail.
#pragma once

#include "policy/evidence.hpp"
#include "policy/rules.hpp"
#include "policy/verdict.hpp"

#include <optional>

namespace policy {

// The verdict on `evidence`, or nothing while evidence that could still change it is not in: also
// which stage applies may depend on it. Of stages that differ by recipient the strictest speaks.
// Pure: no clock, no network, no state. Called at RCPT (with that recipient alone) and at the end
// of the message, by the milter, by explain and by the tests alike.
std::optional<Verdict> decide(const Evidence& evidence, const Policy& policy);

// Why this client is not judged, from what is known so far; empty where it will be.
std::optional<Exemption> exemption_of(const Evidence& evidence, const Policy& policy);

// `evidence` as it is to be reported: what the policy does not count does not read pass.
Evidence as_counted(Evidence evidence, const Policy& policy);

// What to answer when the program itself has failed: the strictest mode that might apply says it.
Action action_in_trouble(const Policy& policy);

} // namespace policy
