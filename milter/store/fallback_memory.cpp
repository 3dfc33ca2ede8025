#include "milter/store/fallback_memory.hpp"

#include <cstring>

namespace store {

std::size_t OpenMessages::FingerprintHash::operator()(const Fingerprint& fingerprint) const {
    std::size_t hash = 0; // its octets are as good as random, and nobody without the key knows them
    std::memcpy(&hash, fingerprint.data(), sizeof hash);
    return hash;
}

OpenMessages::Site OpenMessages::site_of(const policy::Address& network) {
    Site site = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        site = site << 8U | network.bytes().at(i);
    }
    return site;
}

std::optional<policy::Time> OpenMessages::first_of(const Fingerprint& fingerprint) const {
    const auto found = messages_.find(fingerprint);
    return found == messages_.end() ? std::nullopt : std::optional{found->second.first};
}

std::size_t OpenMessages::of_site(const policy::Address& network) const {
    const auto found = sites_.find(site_of(network));
    return found == sites_.end() ? 0 : found->second;
}

void OpenMessages::add(const Fingerprint& fingerprint,
                       policy::Time first,
                       const policy::Address& network) {
    const Site site = site_of(network);
    if (messages_.try_emplace(fingerprint, Message{first, site}).second) {
        by_first_.emplace(first, fingerprint);
        ++sites_[site];
    }
}

void OpenMessages::remove(const Fingerprint& fingerprint) {
    const auto found = messages_.find(fingerprint);
    if (found == messages_.end()) {
        return;
    }
    const auto site = sites_.find(found->second.site);
    if (--site->second == 0) {
        sites_.erase(site);
    }
    by_first_.erase({found->second.first, fingerprint});
    messages_.erase(found);
}

std::size_t OpenMessages::expire(policy::Time since, std::size_t most) {
    std::size_t expired = 0;
    while (expired < most && !by_first_.empty() && by_first_.begin()->first < since) {
        const Fingerprint oldest = by_first_.begin()->second;
        remove(oldest);
        ++expired;
    }
    return expired;
}

void RecentArrivals::add(const FallbackEnd& arrival, Clock::time_point now) {
    const Key key{arrival.fingerprint, added_++};
    arrivals_.emplace(key, arrival.recovery);
    in_order_.emplace_back(now, key);
    if (in_order_.size() > most_) {
        remove_oldest();
    }
}

std::optional<policy::Recovery> RecentArrivals::first_since(const Fingerprint& fingerprint,
                                                            policy::Time since) const {
    auto arrival = arrivals_.lower_bound({fingerprint, 0});
    while (arrival != arrivals_.end() && arrival->first.first == fingerprint) {
        if (arrival->second.time >= since) {
            return arrival->second;
        }
        ++arrival;
    }
    return std::nullopt;
}

std::size_t RecentArrivals::expire(Clock::time_point before, std::size_t most) {
    std::size_t expired = 0;
    while (expired < most && !in_order_.empty() && in_order_.front().first < before) {
        remove_oldest();
        ++expired;
    }
    return expired;
}

void RecentArrivals::remove_oldest() {
    arrivals_.erase(in_order_.front().second);
    in_order_.pop_front();
}

} // namespace store
