#include "policy/distinct.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <string>

using policy::Distinct;
using policy::hash_of;

TEST_CASE("distinct: each thing counts once") {
    Distinct distinct;
    CHECK(distinct.size() == 0);
    CHECK(distinct.octets() == 0);
    for (int round = 0; round < 2; ++round) {
        for (std::uint64_t i = 0; i < 1'000; ++i) {
            distinct.insert(hash_of(std::to_string(i)));
            if (round == 0) {
                CHECK(distinct.size() == i + 1);
            }
        }
    }
    CHECK(distinct.size() == 1'000);
}

TEST_CASE("distinct: a hash of 0 is a hash") {
    Distinct distinct;
    distinct.insert(0);
    distinct.insert(0);
    CHECK(distinct.size() == 1);
}

TEST_CASE("distinct: exact to its bound, and beyond within a percent in bounded memory") {
    Distinct distinct;
    std::uint64_t i = 0;
    for (; i < Distinct::most_kept; ++i) {
        distinct.insert(hash_of(std::to_string(i)));
    }
    CHECK(distinct.size() == i);
    for (; i < 10 * Distinct::most_kept; ++i) {
        distinct.insert(hash_of(std::to_string(i)));
    }
    CHECK(distinct.size() > i / 100 * 99);
    CHECK(distinct.size() < i / 100 * 101);
    CHECK(distinct.octets() <= 16 * Distinct::most_kept);
}

TEST_CASE("hash_of: texts that differ little have hashes that differ in all parts") {
    std::set<std::uint64_t> low;
    std::set<std::uint64_t> high;
    for (int i = 0; i < 1'000; ++i) {
        const std::uint64_t hash = hash_of("d" + std::to_string(i) + ".example");
        low.insert(hash & 0xffffffU);
        high.insert(hash >> 40U);
    }
    CHECK(low.size() > 990);
    CHECK(high.size() > 990);
}
