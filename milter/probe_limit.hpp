// How many tests one network gets answered.
#pragma once

#include "policy/address.hpp"
#include "policy/evidence.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>

namespace milter {

// May be used by many threads at once. Memory is bounded: where too many networks ask at once,
// those that are not known yet have to wait for an hour to end. Who holds thousands of /48s can
// bring that about.
class ProbeLimit {
public:
    static constexpr unsigned most_an_hour = 20;          // of a /64, or of one IPv4 address
    static constexpr unsigned most_of_site = 100;         // of a /48, or of an IPv4 /24
    static constexpr std::size_t most_networks = 100'000; // of either kind

    // Whether one more is answered, and counts it.
    bool allows(const policy::Address& client, policy::Time now);

private:
    using Counts = std::map<policy::Address, unsigned>; // by the first address of the network

    static unsigned* count_of(Counts& counts, const policy::Address& network);

    std::mutex mutex_; // guards all that follows
    policy::Time hour_began_{};
    Counts by_network_;
    Counts by_site_;
};

} // namespace milter
