#include "milter/store/fallback_watch.hpp"
#include "milter/store/open_store.hpp"
#include "milter/store/redis_fallback.hpp"
#include "milter/store/redis_grace.hpp"
#include "tests/store/fallback_ledger_contract.hpp"
#include "tests/store/grace_ledger_contract.hpp"
#include "tests/store/redis_server.hpp"
#include "tests/store/temporary_folder.hpp"
#include "tests/store/trouble.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

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
    CHECK(fallback.open(entries, tests::settled) == 0);
    CHECK(fallback.open_entries(policy::Time{}, 1'200).changes.size() == 1'200);
    CHECK(fallback.open_entries(policy::Time{}, 9'000).changes.size() == 1'500);
    CHECK(grace.forget([](const store::GraceKey&) { return true; }) == 1'500);
    CHECK(fallback.forget([](const store::FallbackEntry& entry) {
        return entry.refusal.mail_from_domain == "forget.example";
    }) == 750);
    CHECK(server.octets().find("forget.example") == std::string::npos);
    tests::end_one(fallback, {entries[1].fingerprint, {}});
    CHECK(fallback.trim(tests::noon + tests::a_moment) == 750);
    CHECK(server.call({"KEYS", "*"}).items.size() == 1); // about
}

TEST_CASE("redis: a ledger that has gone back is not followed as if it had not") {
    tests::RedisServer& server = tests::empty_redis_server();
    store::RedisFallbackLedger ledger{server.access(), "", store::Access::write};
    tests::open_one(ledger, tests::fallback_entry(1));
    const auto position = ledger.open_entries(tests::noon, 10).position;
    CHECK(ledger.changes_after(position, 10).changes.empty());
    server.call({"HDEL", "{sixgate}:about", "changes"});
    const auto trouble = tests::trouble_with([&] { ledger.changes_after(position, 10); });
    CHECK(trouble.find("has lost what was written to it last") != std::string::npos);
}

TEST_CASE("redis: what a later version keeps is not trimmed") {
    tests::RedisServer& server = tests::empty_redis_server();
    store::RedisGraceLedger grace{server.access(), store::Access::write};
    store::RedisFallbackLedger fallback{server.access(), "", store::Access::write};
    tests::open_one(fallback, tests::fallback_entry(1));
    server.call({"HSET", "{sixgate}:about", "version", "9"});
    const auto trouble = tests::trouble_with([&] { fallback.trim(tests::noon + 1h); });
    CHECK(trouble.find("is of schema version 9") != std::string::npos);
    CHECK(tests::trouble_with([&] { grace.trim(tests::noon + 1h); }) == trouble);
    CHECK(tests::entries_in(fallback).size() == 1);
}

TEST_CASE("what nobody watches for any more is trimmed, also without a key") {
    const tests::TemporaryFolder folder;
    const std::vector<std::string> urls{"sqlite:" + folder.file("sixgate.db"),
                                        tests::empty_redis_server().url()};
    for (const auto& url : urls) {
        SUBCASE(url.c_str()) {
            store::StoreSettings settings;
            settings.url = url;
            settings.key_file = folder.file("key");
            tests::write_file(settings.key_file, std::string(32, 'k'));
            const auto ledger = store::open_fallback_ledger(settings, store::Access::write);
            tests::open_one(*ledger, tests::fallback_entry(1));
            tests::open_one(*ledger, tests::fallback_entry(2, tests::noon + 1h));
            settings.key_file.clear();
            store::trim_fallback_ledger(settings, tests::noon + 1h);
            CHECK(tests::entries_in(*ledger).size() == 1);
        }
    }
}

TEST_CASE("redis: a host hears in one turn of all that another one has opened") {
    const tests::RedisServer& server = tests::empty_redis_server();
    const store::FallbackTarget target{[] { return "0123456789abcdef"; },
                                       [&] {
                                           return std::make_unique<store::RedisFallbackLedger>(
                                               server.access(), "", store::Access::write);
                                       }};
    const auto since = [] { return policy::Time{}; };
    const auto ignore = [](const store::WatchHealth&) {};
    store::FallbackWatch one{target, since, ignore, {.collect = 1ms}};
    store::FallbackWatch other{target, since, ignore, {.recent = 0, .collect = 1ms, .poll = 1h}};
    const auto await_opened = [](const store::FallbackWatch& watch, std::uint64_t number) {
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (watch.health().opened < number && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::sleep_for(1ms);
        }
        REQUIRE(watch.health().opened == number);
    };
    const auto refuse = [](store::FallbackWatch& watch,
                           const std::vector<std::string>& recipients) {
        watch.refused({"user@example.org", recipients, "<1@example.org>"},
                      {.first = tests::noon, .reason = policy::Reason::unauthenticated});
    };
    std::vector<std::string> recipients;
    recipients.reserve(1'300);
    for (int i = 0; i < 1'300; ++i) {
        recipients.push_back(std::to_string(i) + "@example.net");
    }
    refuse(other, {"first@example.net"});
    await_opened(other, 1);
    refuse(one, recipients);
    await_opened(one, 1'300);
    refuse(other, {"second@example.net"});
    await_opened(other, 2);
    refuse(other, {"third@example.net"});
    await_opened(other, 3); // so the turn before is over
    other.arrived({"user@example.org", recipients, "<1@example.org>"}, {.time = tests::noon});
    other.close();
    CHECK(other.health().ended == 1'300);
    CHECK(other.health().dropped == 0);
}
