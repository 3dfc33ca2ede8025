// What the evidence shows of each requirement: the clauses of the policy. What follows from that
// for a message is decide()'s to say.
#pragma once

#include "policy/evidence.hpp"
#include "policy/rules.hpp"

#include <cstdint>
#include <vector>

namespace policy {

// What one requirement, or all of them, found. The order is the order in which they speak: what
// certainly falls short outweighs what cannot be told, so that 4xx means that only a temporary
// error stands between.
enum class Standing : std::uint8_t { meets, cannot_tell, falls_short };

struct Finding {
    Standing standing = Standing::meets;
    Reason reason = Reason::closed; // where the requirement is not met
};

constexpr Finding falls_short(Reason reason) {
    return {Standing::falls_short, reason};
}

constexpr Finding cannot_tell(Reason reason) {
    return {Standing::cannot_tell, reason};
}

// Whether all that `required` asks about is known: evidence is gathered before an answer, so that
// fields and journal are whole.
bool is_complete(const Evidence& evidence, const Requirements& required);

// Of complete evidence: the requirement that speaks, the first of those that are furthest from
// being met.
Finding judge(const Evidence& evidence, const Requirements& required);

// Everything in complete evidence that falls short of `required`, or that could not be told.
std::vector<Reason> faults_of(const Evidence& evidence, const Requirements& required);

} // namespace policy
