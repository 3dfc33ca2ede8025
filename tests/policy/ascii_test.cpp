#include "policy/ascii.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

// All octets for which it holds, in order.
std::string octets_that(bool (*holds)(char)) {
    std::string octets;
    for (int octet = 0; octet < 256; ++octet) {
        const auto c = static_cast<char>(octet);
        octets.append(holds(c) ? 1 : 0, c);
    }
    return octets;
}

} // namespace

TEST_CASE("ascii: letters and digits are those of ASCII and no others") {
    const std::string upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const std::string lower = "abcdefghijklmnopqrstuvwxyz";
    const std::string digits = "0123456789";
    CHECK(octets_that(policy::is_digit) == digits);
    CHECK(octets_that(policy::is_alpha) == upper + lower);
    CHECK(octets_that(policy::is_alphanumeric) == digits + upper + lower);
    CHECK(octets_that(policy::is_printable).size() == 95);
    CHECK(policy::to_lower(upper) == lower);
}

TEST_CASE("ascii: names are the same in either case, and nothing else is") {
    CHECK(policy::same_name("Mail.Example", "mAIL.eXAMPLE"));
    CHECK(policy::same_name("", ""));
    CHECK_FALSE(policy::same_name("a", "ab"));
    CHECK_FALSE(policy::same_name("@", "`"));       // as far apart as A and a
    CHECK_FALSE(policy::same_name("\xc4", "\xe4")); // in Latin-1 a letter in both cases
}
