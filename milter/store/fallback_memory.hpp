// What the fallback watch has in memory: the messages that are open, and those that have arrived
// and ended none. Who holds them bounds them; every function takes no longer than to find one among
// so many, or as many as it is told.
#pragma once

#include "milter/store/fallback_ledger.hpp"
#include "policy/address.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace store {

class OpenMessages {
public:
    std::size_t size() const { return messages_.size(); }

    bool contains(const Fingerprint& fingerprint) const { return messages_.contains(fingerprint); }

    std::optional<policy::Time> first_of(const Fingerprint& fingerprint) const;

    // How many have come from the /48 of this address.
    std::size_t of_site(const policy::Address& network) const;

    // Where it is there already it stays as it is.
    void add(const Fingerprint& fingerprint, policy::Time first, const policy::Address& network);

    void remove(const Fingerprint& fingerprint);

    // Removes the oldest, as far as they are older, and no more than `most`: returns how many.
    std::size_t expire(policy::Time since, std::size_t most);

private:
    using Site = std::uint64_t; // the first 48 bits of an address

    struct Message {
        policy::Time first;
        Site site = 0;
    };

    struct FingerprintHash {
        std::size_t operator()(const Fingerprint& fingerprint) const;
    };

    static Site site_of(const policy::Address& network);

    std::unordered_map<Fingerprint, Message, FingerprintHash> messages_;
    std::set<std::pair<policy::Time, Fingerprint>> by_first_;
    std::map<Site, std::size_t> sites_; // how many of each: strangers choose them, and no hash
};

class RecentArrivals {
public:
    using Clock = std::chrono::steady_clock;

    explicit RecentArrivals(std::size_t most) : most_{most} {}

    void add(const FallbackEnd& arrival, Clock::time_point now); // the oldest makes room

    // The first one of them that did not come before `since`.
    std::optional<policy::Recovery> first_since(const Fingerprint& fingerprint,
                                                policy::Time since) const;

    // Forgets the oldest, as far as they came before, and no more than `most`: returns how many.
    std::size_t expire(Clock::time_point before, std::size_t most);

private:
    using Key = std::pair<Fingerprint, std::uint64_t>; // the latter counts

    void remove_oldest();

    const std::size_t most_;
    std::uint64_t added_ = 0;
    std::map<Key, policy::Recovery> arrivals_;
    std::deque<std::pair<Clock::time_point, Key>> in_order_;
};

} // namespace store
