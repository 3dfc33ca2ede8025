#include "milter/nearest_word.hpp"

#include <doctest/doctest.h>

#include <array>

TEST_CASE("nearest word: a slip is found, another word is not") {
    constexpr std::array<std::string_view, 3> words{"dns.servers", "policy.mode", "policy.profile"};
    const auto nearest = [&](std::string_view word) { return milter::nearest_word(word, words); };
    CHECK(nearest("dns.server") == "dns.servers");
    CHECK(nearest("dns.srevers") == "dns.servers");
    CHECK(nearest("policy.mod") == "policy.mode");
    CHECK(nearest("policy.mode") == "policy.mode");
    CHECK_FALSE(nearest("policy.m").has_value());
    CHECK_FALSE(nearest("").has_value());
    CHECK_FALSE(milter::nearest_word("x", {}).has_value());
}
