// DNS messages: what a server's packet says about one question.
#pragma once

#include "milter/verify/resolver.hpp"

#include <chrono>
#include <cstdint>
#include <span>

namespace verify {

// An answer and how long it may be kept; zero is not at all.
struct TimedAnswer {
    Answer answer;
    std::chrono::seconds ttl{0};
};

// A failure that is kept for a short while, so that one silent server is not asked anew by every
// message (RFC 9520 section 3.2 wants at least a second). Zero for a failure that is not temporary:
// its time comes from the zone.
TimedAnswer failed(LookupFailure failure);

// Reads a server's answer to `question`. Records that the question's CNAME chain does not lead to
// are ignored, as are those of another class or type. The TTL is the least of the chain and its
// records; of an answer that there is nothing, RFC 2308's, which is zero where no SOA came with it.
// What makes no sense (cut, another question, a chain that loops, a referral) is server_failure.
// At most 256 records are taken.
TimedAnswer parse_answer(const Question& question, std::span<const std::uint8_t> packet);

} // namespace verify
