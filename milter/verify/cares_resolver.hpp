// The Resolver of the program: c-ares on one event thread, with a cache in front of it.
#pragma once

#include "milter/verify/resolver.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace verify {

struct DnsSettings {
    std::vector<std::string> servers; // "127.0.0.1:53", "[::1]:53"; empty: those of resolv.conf
    std::chrono::milliseconds timeout{3000}; // for a question, all tries together
    std::size_t cache_octets = 64U << 20U;

    friend bool operator==(const DnsSettings&, const DnsSettings&) = default;
};

// Counted since start, for metrics and tests.
struct DnsCounters {
    std::uint64_t questions = 0; // sent to a server, retransmissions not counted
    std::uint64_t cache_hits = 0;
    std::uint64_t coalesced = 0; // joined a question under way
    std::uint64_t timeouts = 0;
    std::uint64_t failures = 0;
    std::size_t cached_octets = 0;
};

class CaresResolver final : public Resolver {
public:
    // Throws std::runtime_error, naming the call, where c-ares cannot be set up or a server's
    // address cannot be read.
    explicit CaresResolver(const DnsSettings& settings);
    ~CaresResolver() override; // what is under way ends as server_failure

    std::shared_ptr<PendingAnswer> ask(const Question& question) override;

    DnsCounters counters() const;

private:
    class Channel;
    std::unique_ptr<Channel> channel_;
};

} // namespace verify
