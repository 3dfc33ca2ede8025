#include "milter/store/redis_fallback.hpp"
#include "milter/store/redis_grace.hpp"
#include "tests/store/fallback_ledger_contract.hpp"
#include "tests/store/grace_ledger_contract.hpp"
#include "tests/store/redis_server.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

TEST_CASE("the grace ledger on Redis") {
    for (const auto& contract : tests::grace_ledger_contract()) {
        SUBCASE(contract.name) {
            const tests::RedisServer& server = tests::empty_redis_server();
            contract.check([&](const store::GraceLimits& limits) {
                return std::make_unique<store::RedisGraceLedger>(
                    server.access(), store::Access::write, limits);
            });
        }
    }
}

TEST_CASE("the ledger of the fallback watch on Redis") {
    for (const auto& contract : tests::fallback_ledger_contract()) {
        SUBCASE(contract.name) {
            const tests::RedisServer& server = tests::empty_redis_server();
            contract.check([&](const store::FallbackLimits& limits) {
                return std::make_unique<store::RedisFallbackLedger>(
                    server.access(), "", store::Access::write, limits);
            });
        }
    }
}

TEST_CASE("redis: what the ledgers forget or trim leaves nothing behind") {
    tests::RedisServer& server = tests::empty_redis_server();
    store::RedisGraceLedger grace{server.access(), store::Access::write};
    store::RedisFallbackLedger fallback{server.access(), "", store::Access::write};
    for (int i = 0; i < 1'500; ++i) { // more than goes at a time
        const std::string network = "2001:db8:" + std::to_string(i) + "::";
        REQUIRE(grace.count(
            tests::grace_key("forget.example", network), tests::noon, tests::grace_period));
    }
    std::vector<store::FallbackEntry> entries;
    for (std::size_t i = 0; i < 1'500; ++i) {
        entries.push_back(tests::fallback_entry(0));
        entries.back().fingerprint = {static_cast<std::uint8_t>(i % 256),
                                      static_cast<std::uint8_t>(i / 256)};
        entries.back().refusal.mail_from_domain = i % 2 == 0 ? "forget.example" : "example.net";
    }
    CHECK(fallback.open(entries) == 0);
    CHECK(fallback.open_entries(policy::Time{}, 1'200).changes.size() == 1'200);
    CHECK(fallback.open_entries(policy::Time{}, 9'000).changes.size() == 1'500);
    CHECK(grace.forget([](const store::GraceKey&) { return true; }) == 1'500);
    CHECK(fallback.forget([](const store::FallbackEntry& entry) {
        return entry.refusal.mail_from_domain == "forget.example";
    }) == 750);
    CHECK(server.octets().find("forget.example") == std::string::npos);
    CHECK(fallback.trim(tests::noon + tests::a_moment) == 750);
    CHECK(server.call({"KEYS", "*"}).items.size() == 1); // about
}
