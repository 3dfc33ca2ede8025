// What every ledger of the fallback watch does, whatever it is kept in.
#pragma once

#include "milter/store/fallback_ledger.hpp"
#include "tests/store/entry_makers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tests {

// Opens the same ledger again and again, as several processes do; empty at first.
using OpenFallbackLedger =
    std::function<std::unique_ptr<store::FallbackLedger>(const store::FallbackLimits& limits)>;

struct FallbackContract {
    const char* name;
    void (*check)(const OpenFallbackLedger& open);
};

inline constexpr std::chrono::milliseconds a_moment{1};

inline store::Fingerprint fingerprint(std::uint8_t number) {
    return {0xff, 0, number};
}

inline store::FallbackEntry fallback_entry(std::uint8_t number, policy::Time first = noon) {
    return {fingerprint(number),
            {.first = first,
             .reason = policy::Reason::unauthenticated,
             .stage = "partners",
             .mail_from = "~0123456789abcdef@example.org",
             .mail_from_domain = "example.org",
             .recipient = "~fedcba9876543210@example.net",
             .network = policy::Address::parse("2001:db8:5::").value()}};
}

inline store::FallbackEnd fallback_end(std::uint8_t number,
                                       policy::RecoveryKind kind,
                                       policy::Time time = noon + std::chrono::hours{1}) {
    return {fingerprint(number), {kind, time}};
}

// Of all that were refused before, the fate is known.
inline constexpr policy::Time settled = noon - std::chrono::hours{24};

inline std::uint64_t open_one(store::FallbackLedger& ledger, const store::FallbackEntry& entry) {
    return ledger.open({&entry, 1}, settled);
}

inline void end_one(store::FallbackLedger& ledger, const store::FallbackEnd& end) {
    ledger.end({&end, 1});
}

// By the number of fingerprint().
inline std::map<int, store::FallbackEntry> entries_in(store::FallbackLedger& ledger,
                                                      policy::Time since = policy::Time{}) {
    std::map<int, store::FallbackEntry> entries;
    ledger.read(since, [&](const store::FallbackEntry& entry) {
        entries.emplace(entry.fingerprint[2], entry);
    });
    return entries;
}

inline std::vector<std::pair<int, bool>>
numbers_of(const std::vector<store::FallbackChange>& changes) {
    std::vector<std::pair<int, bool>> numbers;
    numbers.reserve(changes.size());
    for (const auto& change : changes) {
        numbers.emplace_back(change.fingerprint[2], change.is_open);
    }
    std::ranges::sort(numbers);
    return numbers;
}

using Numbers = std::vector<std::pair<int, bool>>;

inline void check_fallback_entry(const OpenFallbackLedger& open) {
    const auto ledger = open({});
    auto bounce = fallback_entry(2, noon + a_moment);
    bounce.refusal.mail_from = bounce.refusal.mail_from_domain = "";
    bounce.refusal.attempts = 3;
    const std::vector entries{fallback_entry(1), bounce};
    CHECK(ledger->open(entries, settled) == 0);
    CHECK(entries_in(*ledger) == std::map<int, store::FallbackEntry>{{1, entries[0]}, {2, bounce}});
    CHECK(entries_in(*ledger, noon + a_moment).size() == 1);

    end_one(*ledger, fallback_end(2, policy::RecoveryKind::ipv4));
    end_one(*ledger, fallback_end(2, policy::RecoveryKind::mended)); // it has ended
    end_one(*ledger, fallback_end(3, policy::RecoveryKind::mended)); // nothing is known of it
    bounce.refusal.recovery =
        policy::Recovery{policy::RecoveryKind::ipv4, noon + std::chrono::hours{1}};
    CHECK(entries_in(*open({})) ==
          std::map<int, store::FallbackEntry>{{1, entries[0]}, {2, bounce}});
}

inline void check_fallback_ends(const OpenFallbackLedger& open) {
    const auto ledger = open({});
    const std::vector kinds{policy::RecoveryKind::ipv4,
                            policy::RecoveryKind::mended,
                            policy::RecoveryKind::let_through,
                            policy::RecoveryKind::refused};
    std::vector<store::FallbackEnd> ends;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        open_one(*ledger, fallback_entry(static_cast<std::uint8_t>(i)));
        ends.push_back(fallback_end(static_cast<std::uint8_t>(i), kinds[i]));
    }
    ledger->end(ends);
    const auto entries = entries_in(*ledger);
    REQUIRE(entries.size() == kinds.size());
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        CHECK(entries.at(static_cast<int>(i)).refusal.recovery == ends[i].recovery);
    }
}

inline void check_fallback_again(const OpenFallbackLedger& open) {
    const auto ledger = open({});
    open_one(*ledger, fallback_entry(1));
    const auto position = ledger->open_entries(policy::Time{}, 10).position;
    auto again = fallback_entry(1, noon + std::chrono::hours{1});
    again.refusal.stage = "other";
    again.refusal.reason = policy::Reason::reverse_name_missing;
    again.refusal.network = policy::Address::parse("2001:db8:7::").value();
    open_one(*ledger, again);
    auto expected = fallback_entry(1);
    expected.refusal.attempts = 2;
    CHECK(entries_in(*ledger).at(1) == expected);

    // Another host may be slower to tell of the first refusal.
    open_one(*ledger, fallback_entry(1, noon - a_moment));
    CHECK(entries_in(*ledger).at(1).refusal.first == noon - a_moment);
    CHECK(entries_in(*ledger).at(1).refusal.attempts == 3);

    end_one(*ledger, fallback_end(1, policy::RecoveryKind::mended));
    open_one(*ledger, fallback_entry(1));
    CHECK(entries_in(*ledger).at(1).refusal.recovery);
    CHECK(numbers_of(ledger->changes_after(position, 10).changes) == Numbers{{1, false}});
}

inline void check_fallback_changes(const OpenFallbackLedger& open) {
    const auto one = open({});
    const auto other = open({});
    open_one(*one, fallback_entry(1));
    open_one(*one, fallback_entry(2, noon + a_moment));
    open_one(*one, fallback_entry(3));
    end_one(*one, fallback_end(3, policy::RecoveryKind::ipv4));

    const auto begin = other->open_entries(noon, 10);
    CHECK(numbers_of(begin.changes) == Numbers{{1, true}, {2, true}});
    CHECK(numbers_of(other->open_entries(noon + a_moment, 10).changes) == Numbers{{2, true}});
    CHECK(numbers_of(other->open_entries(noon, 1).changes) == Numbers{{2, true}}); // the latest
    CHECK(other->changes_after(begin.position, 10).changes.empty());

    open_one(*one, fallback_entry(4));
    end_one(*other, fallback_end(1, policy::RecoveryKind::mended));
    const auto next = other->changes_after(begin.position, 10);
    const auto network = fallback_entry(4).refusal.network;
    CHECK(begin.changes.front().network == network);
    CHECK(next.changes == std::vector<store::FallbackChange>{{fingerprint(4), noon, true, network},
                                                             {fingerprint(1), noon, false}});
    CHECK(next.position > begin.position);

    const auto first = one->changes_after(begin.position, 1);
    CHECK(numbers_of(first.changes) == Numbers{{4, true}});
    CHECK(numbers_of(one->changes_after(first.position, 1).changes) == Numbers{{1, false}});
    CHECK(one->changes_after(next.position, 10).changes.empty());
    CHECK(one->changes_after(next.position, 10).position == next.position);
}

// Whoever follows misses nothing, whatever goes.
inline void check_fallback_positions(const OpenFallbackLedger& open) {
    const auto ledger = open({});
    open_one(*ledger, fallback_entry(1));
    open_one(*ledger, fallback_entry(2));
    const auto position = ledger->open_entries(policy::Time{}, 10).position;
    CHECK(ledger->trim(noon + a_moment) == 2);
    CHECK(entries_in(*ledger).empty());
    open_one(*ledger, fallback_entry(3));
    CHECK(numbers_of(ledger->changes_after(position, 10).changes) == Numbers{{3, true}});
}

inline void check_fallback_bound(const OpenFallbackLedger& open) {
    const auto ledger = open({.most = 2});
    const std::vector entries{
        fallback_entry(1), fallback_entry(2, noon + a_moment), fallback_entry(3)};
    CHECK(ledger->open(entries, settled) == 1);
    CHECK(ledger->open(entries, settled) == 1); // those that are there are counted on
    CHECK(entries_in(*ledger).at(2).refusal.attempts == 2);
    CHECK(open_one(*open({.most = 2}), fallback_entry(4)) == 1);
    CHECK(ledger->trim(noon) == 0);
    CHECK(ledger->trim(noon + a_moment) == 1);
    CHECK(open_one(*ledger, fallback_entry(4)) == 0);
    CHECK(entries_in(*ledger).size() == 2);
}

// More than a store tells or takes at a time.
inline std::vector<store::FallbackEntry> many_entries() {
    std::vector<store::FallbackEntry> entries(1'300, fallback_entry(0));
    for (std::size_t i = 0; i < entries.size(); ++i) {
        entries[i].fingerprint = {static_cast<std::uint8_t>(i % 256),
                                  static_cast<std::uint8_t>(i / 256)};
    }
    return entries;
}

inline void check_fallback_many(const OpenFallbackLedger& open) {
    const auto ledger = open({});
    CHECK(ledger->open(many_entries(), settled) == 0);
    CHECK(ledger->open_entries(noon, 2'000).changes.size() == 1'300);
    store::FallbackLedger::Position position = 0;
    std::set<store::Fingerprint> seen;
    for (auto found = ledger->changes_after(position, 500); !found.changes.empty();
         found = ledger->changes_after(position, 500)) {
        CHECK(found.position > position);
        position = found.position;
        for (const auto& change : found.changes) {
            seen.insert(change.fingerprint);
        }
    }
    CHECK(seen.size() == 1'300);
    CHECK(ledger->trim(noon + a_moment) == 1'300);
    CHECK(ledger->open_entries(noon, 10).changes.empty());
}

inline void check_fallback_makes_room(const OpenFallbackLedger& open) {
    const auto ledger = open({.most = 4});
    const std::vector entries{fallback_entry(1, settled - a_moment),
                              fallback_entry(2),
                              fallback_entry(3, noon - a_moment),
                              fallback_entry(4, noon - 2 * a_moment)};
    CHECK(ledger->open(entries, settled) == 0);
    end_one(*ledger, fallback_end(2, policy::RecoveryKind::ipv4));
    end_one(*ledger, fallback_end(3, policy::RecoveryKind::mended));
    const auto left_by = [&](std::uint8_t number) {
        CHECK(open_one(*ledger, fallback_entry(number)) == 0);
        std::vector<int> left;
        for (const auto& [each, entry] : entries_in(*ledger)) {
            left.push_back(each);
        }
        return left;
    };
    CHECK(left_by(5) == std::vector{2, 3, 4, 5}); // it will not be seen again
    CHECK(left_by(6) == std::vector{2, 4, 5, 6}); // it has ended, and before the other one
    CHECK(left_by(7) == std::vector{4, 5, 6, 7});
    CHECK(open_one(*ledger, fallback_entry(8)) == 1);
    CHECK(open_one(*ledger, fallback_entry(7)) == 0);
    CHECK(entries_in(*ledger).at(7).refusal.attempts == 2);
}

inline void check_fallback_forgets(const OpenFallbackLedger& open) {
    const auto ledger = open({});
    auto other = fallback_entry(2);
    other.refusal.mail_from_domain = "example.com";
    const std::vector entries{fallback_entry(1), other, fallback_entry(3)};
    ledger->open(entries, settled);
    const auto is_meant = [](const store::FallbackEntry& entry) {
        return entry.refusal.mail_from_domain == "example.org";
    };
    CHECK(ledger->forget(is_meant) == 2);
    CHECK(ledger->forget(is_meant) == 0);
    CHECK(entries_in(*ledger) == std::map<int, store::FallbackEntry>{{2, other}});
}

inline std::vector<FallbackContract> fallback_ledger_contract() {
    return {
        {"an entry is read as it was opened, with its first end", check_fallback_entry},
        {"every end is told from the others", check_fallback_ends},
        {"a message that is refused again keeps its entry", check_fallback_again},
        {"whoever follows sees what others open and end", check_fallback_changes},
        {"positions go on where entries are gone", check_fallback_positions},
        {"entries are so many, and the rest finds no room", check_fallback_bound},
        {"what is known of makes room for what is not", check_fallback_makes_room},
        {"more than goes at a time", check_fallback_many},
        {"what is forgotten is gone", check_fallback_forgets},
    };
}

} // namespace tests
