// The Resolver of the program: c-ares on one event thread, with a cache in front of it.
#pragma once

#include "milter/verify/dns_cache.hpp"
#include "milter/verify/dns_server.hpp"
#include "milter/verify/resolver.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace verify {

class DnsEventLoop;
struct Finished;

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

// Safe to use from any thread.
class CaresResolver final : public Resolver {
public:
    // Throws std::runtime_error, naming the call, where c-ares cannot be set up or a server's
    // address cannot be read. Starts a thread: not before a fork.
    explicit CaresResolver(const DnsSettings& settings);
    CaresResolver(const CaresResolver&) = delete;
    CaresResolver& operator=(const CaresResolver&) = delete;
    CaresResolver(CaresResolver&&) = delete;
    CaresResolver& operator=(CaresResolver&&) = delete;
    ~CaresResolver() override; // what is under way ends as server_failure

    // A name that cannot be asked for does not exist, and no server hears of it: an empty label
    // or name, a label of more than 63 octets, more than 255 octets in all, a zero octet.
    std::shared_ptr<PendingAnswer> ask(const Question& question) override;

    DnsCounters counters() const;

    // That are asked, in order.
    const std::vector<DnsServer>& servers() const { return servers_; }

private:
    void finish(Finished finished);
    void count(const Answer& answer);
    std::shared_ptr<PendingAnswer> submit(const Question& question);

    std::vector<DnsServer> servers_;
    std::chrono::milliseconds timeout_;

    mutable std::mutex mutex_; // guards what follows, up to loop_
    DnsCache cache_;
    std::map<Question, std::shared_ptr<PendingAnswer>> under_way_;
    DnsCounters counters_;
    bool is_stopping_ = false;

    std::unique_ptr<DnsEventLoop> loop_;
};

} // namespace verify
