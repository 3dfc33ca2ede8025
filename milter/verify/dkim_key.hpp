// A key record as DNS has it: RFC 6376 section 3.6.
#pragma once

#include "milter/verify/resolver.hpp"
#include "policy/results.hpp"

#include <tl/expected.hpp>

#include <string>
#include <string_view>

namespace verify {

struct DkimKey {
    std::string record;
    bool is_testing = false; // t=y
};

struct DkimKeyFailure {
    policy::DkimResult result; // temperror where asking again may help, else permerror
    std::string problem;
};

// The key for a signature whose a= is `algorithm`, from the answer to `question`. What the record
// says of versions, hashes and services is left to libopendkim.
tl::expected<DkimKey, DkimKeyFailure>
read_key(const Question& question, const Answer& answer, std::string_view algorithm);

} // namespace verify
