// The time and the tries that a sender has in a soft stage before it hardens (DESIGN section 9).
#pragma once

#include "policy/evidence.hpp"
#include "policy/rules.hpp"
#include "policy/verdict.hpp"

#include <optional>
#include <string>

namespace policy {

// Whether a sender has had all that `grace` allows before this message: both its tries and its
// time. A sender of which nothing is known has not.
bool is_used_up(const Grace& grace, const Evidence& evidence);

// The grace by which the verdict on a message that is refused softly hangs on what its sender has
// used up; empty where that makes no difference. A temporary error is not the sender's fault, and a
// test is not its mail: they use up nothing.
std::optional<Grace>
grace_that_matters(const Evidence& evidence, const Policy& policy, const Verdict& verdict);

// The date that a period leads to: to the minute, as it is told, and nobody is refused in the midst
// of one.
Time date_of(Time end_of_period);

// From when on mail like this is refused for good, where `verdict` refuses it softly and that date
// has been set and is to come: when the grace ends, or when a stage does before that leaves it to
// one that refuses. None is told that is past, or not kept.
std::optional<Time>
refused_from(const Verdict& verdict, const Evidence& evidence, const Policy& policy);

// "2026-11-22 12:00 UTC", as replies have it.
std::string date_told(Time time);

} // namespace policy
