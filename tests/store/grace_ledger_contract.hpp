// What every grace ledger does, whatever it is kept in.
#pragma once

#include "milter/store/grace_ledger.hpp"
#include "tests/store/entry_makers.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tests {

// Opens the same ledger again and again, as several processes do; empty at first.
using OpenGraceLedger =
    std::function<std::unique_ptr<store::GraceLedger>(const store::GraceLimits& limits)>;

struct GraceContract {
    const char* name;
    void (*check)(const OpenGraceLedger& open);
};

inline store::GraceKey grace_key(const std::string& domain,
                                 const std::string& network = "2001:db8:5::") {
    return {policy::Address::parse(network).value(), domain};
}

inline std::vector<std::string> domains_in(store::GraceLedger& ledger) {
    std::set<std::string> domains;
    ledger.read(
        [&](const store::GraceKey& key, const store::GraceRecord&) { domains.insert(key.domain); });
    return {domains.begin(), domains.end()};
}

inline constexpr std::chrono::days grace_period{5};

inline void check_grace_counts(const OpenGraceLedger& open) {
    const auto ledger = open({});
    const auto hour = std::chrono::hours{1};
    const auto key = grace_key("example.org");
    CHECK(ledger->count(key, noon, grace_period) ==
          store::GraceRecord{noon, noon, 1, noon + grace_period});
    CHECK(ledger->count(key, noon + hour, grace_period) ==
          store::GraceRecord{noon, noon + hour, 2, noon + grace_period});
    // Another domain, no domain, and another network are others.
    CHECK(ledger->count(grace_key("example.com"), noon, grace_period)->attempts == 1);
    CHECK(ledger->count(grace_key(""), noon, grace_period)->attempts == 1);
    CHECK(ledger->count(grace_key("example.org", "2001:db8:5:1::"), noon, grace_period)->attempts ==
          1);
    CHECK(ledger->count(key, noon, grace_period)->attempts == 3);
}

inline void check_grace_date(const OpenGraceLedger& open) {
    const auto ledger = open({});
    const auto key = grace_key("example.org");
    const auto date_with = [&](std::chrono::milliseconds period) {
        return ledger->count(key, noon + std::chrono::hours{1}, period)->refused_from;
    };
    ledger->count(key, noon, grace_period);
    CHECK(date_with(std::chrono::days{1}) == noon + grace_period);
    CHECK(date_with(std::chrono::days{9}) == noon + std::chrono::days{9});
    CHECK(date_with(grace_period) == noon + std::chrono::days{9});
}

inline void check_grace_survives(const OpenGraceLedger& open) {
    const auto key = grace_key("example.org");
    const auto first = open({})->count(key, noon, grace_period);
    const auto second = open({})->count(key, noon, std::chrono::days{1});
    REQUIRE(second);
    CHECK(second->attempts == 2);
    CHECK(second->refused_from == first->refused_from);
    // A clock that is set back moves nothing back.
    const auto third = open({})->count(key, noon - std::chrono::days{2}, grace_period);
    CHECK(third->last == noon);
    CHECK(third->first == noon);
}

inline void check_grace_anew(const OpenGraceLedger& open) {
    const std::chrono::milliseconds moment{1};
    const auto ledger = open({.most = 2, .until_anew = std::chrono::days{10}});
    const auto key = grace_key("example.org");
    const auto counted = [&](policy::Time time, std::chrono::milliseconds period) {
        return ledger->count(key, time, period).value();
    };
    counted(noon, grace_period);
    const auto later = noon + std::chrono::days{10};
    CHECK(counted(later, grace_period).attempts == 2); // it has tried all the time
    const auto much_later = later + std::chrono::days{10} + moment;
    CHECK(counted(much_later, grace_period) ==
          store::GraceRecord{much_later, much_later, 1, much_later + grace_period});
    CHECK(counted(much_later + moment, grace_period).attempts == 2);
    // Not before the period is over: that is a promise.
    const std::chrono::days period{30};
    const auto by_then = much_later + moment + period;
    CHECK(counted(by_then, period).attempts == 3);
    CHECK(counted(by_then + period + moment, period).attempts == 1);
    // It is still one record.
    CHECK(ledger->count(grace_key("a.example"), by_then, period));
    CHECK_FALSE(ledger->count(grace_key("b.example"), by_then, period));
}

inline void check_grace_at_once(const OpenGraceLedger& open) {
    constexpr int hosts = 4;
    constexpr int of_each = 25;
    std::vector<std::vector<std::uint64_t>> seen(hosts);
    {
        std::vector<std::jthread> threads;
        threads.reserve(hosts);
        for (auto& numbers : seen) {
            threads.emplace_back([&numbers, ledger = std::shared_ptr{open({})}] {
                for (int i = 0; i < of_each; ++i) {
                    numbers.push_back(
                        ledger->count(grace_key("example.org"), noon, grace_period)->attempts);
                }
            });
        }
    }
    std::set<std::uint64_t> all;
    for (const auto& numbers : seen) {
        all.insert(numbers.begin(), numbers.end());
    }
    CHECK(all.size() == hosts * of_each);
    CHECK(*all.rbegin() == hosts * of_each);
}

inline void check_grace_site(const OpenGraceLedger& open) {
    const auto ledger = open({.most_new_of_a_site = 2});
    const auto count = [&](const std::string& domain, const std::string& network, policy::Time at) {
        return ledger->count(grace_key(domain, network), at, grace_period).has_value();
    };
    CHECK(count("a.example", "2001:db8:5::", noon));
    CHECK(count("b.example", "2001:db8:5:ffff::", noon));
    CHECK_FALSE(count("c.example", "2001:db8:5:1::", noon));
    CHECK(count("c.example", "2001:db8:6::", noon));
    CHECK(count("a.example", "2001:db8:5::", noon)); // who has a record is counted on
    CHECK(domains_in(*ledger) == std::vector<std::string>{"a.example", "b.example", "c.example"});
    const auto next_day = noon + std::chrono::hours{25};
    CHECK(count("d.example", "2001:db8:5::", next_day));
    CHECK(count("e.example", "2001:db8:5::", next_day));
    CHECK_FALSE(count("f.example", "2001:db8:5::", next_day));
}

inline void check_grace_bound(const OpenGraceLedger& open) {
    const auto ledger = open({.most = 2});
    const auto count = [&](const std::string& domain, policy::Time at) {
        return ledger->count(grace_key(domain), at, grace_period).has_value();
    };
    CHECK(count("a.example", noon));
    CHECK(count("b.example", noon + std::chrono::days{1}));
    CHECK_FALSE(count("c.example", noon));
    CHECK(count("b.example", noon));
    CHECK(open({.most = 2})->count(grace_key("c.example"), noon, grace_period) == std::nullopt);
    CHECK(ledger->trim(noon) == 0);
    CHECK(ledger->trim(noon + std::chrono::milliseconds{1}) == 1);
    CHECK(domains_in(*ledger) == std::vector<std::string>{"b.example"});
    CHECK(count("c.example", noon));
}

inline void check_grace_forgets(const OpenGraceLedger& open) {
    const auto ledger = open({});
    for (const char* const domain : {"a.example", "b.example", "c.example"}) {
        ledger->count(grace_key(domain), noon, grace_period);
    }
    ledger->count(grace_key("a.example", "2001:db8:9::"), noon, grace_period);
    const auto is_meant = [](const store::GraceKey& key) { return key.domain == "a.example"; };
    CHECK(ledger->forget(is_meant) == 2);
    CHECK(ledger->forget(is_meant) == 0);
    CHECK(domains_in(*ledger) == std::vector<std::string>{"b.example", "c.example"});
    CHECK(ledger->count(grace_key("a.example"), noon, grace_period)->attempts == 1);
}

inline std::vector<GraceContract> grace_ledger_contract() {
    return {
        {"attempts of a network and a domain count together", check_grace_counts},
        {"a date that was told never moves back", check_grace_date},
        {"who has not fallen short for long begins anew", check_grace_anew},
        {"a record outlives whoever made it", check_grace_survives},
        {"attempts that are counted at once all have their number", check_grace_at_once},
        {"new records of a /48 are so many in a day", check_grace_site},
        {"records are so many, until those that are not used are gone", check_grace_bound},
        {"what is forgotten is gone", check_grace_forgets},
    };
}

} // namespace tests
