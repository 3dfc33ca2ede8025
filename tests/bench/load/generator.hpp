// Sessions, as many at a time or as many a second as asked, until the measurement is over.
#pragma once

#include "tests/bench/load/manifest.hpp"
#include "tests/bench/load/measurement.hpp"
#include "tests/bench/load/session.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace bench {

struct Load {
    std::string socket;        // the path of the filter's
    std::size_t sessions = 64; // closed loop: at all times
    double rate = 0;           // open loop: so many begin a second, at random times; 0 is closed
    std::size_t idle = 0;      // connections beside these that say nothing after HELO
    std::size_t most = 0;      // messages to begin, warm-up included; 0: any number
};

class Generator {
public:
    Generator(Load load, const std::vector<Sample>& samples, Measurement& measurement);
    ~Generator();

    Generator(const Generator&) = delete;
    Generator& operator=(const Generator&) = delete;

    // Returns when the measurement is over. Throws std::runtime_error when the filter stands still.
    void run();

private:
    void open_idle_connections();
    void begin_what_is_due(Clock::time_point now);
    void begin_arrivals(Clock::time_point now);
    void begin(Session::Plan plan, Clock::time_point began);
    void connect(Session& session);
    void connect_again();
    void wait_and_serve();
    void serve(std::uint64_t number);
    void after(Session& session);
    void remove(const Session& session);
    void fail(const Session& session, const std::string& what);
    void let_sessions_end();
    bool may_begin() const;
    void throw_if_still(Clock::time_point now) const;

    Load load_;
    const std::vector<Sample>& samples_;
    Measurement& measurement_;
    int poll_;
    std::mt19937_64 chance_{1}; // NOLINT(cert-msc51-cpp): the same at each run
    std::exponential_distribution<double> gap_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Session>> sessions_;
    std::deque<std::uint64_t> waiting_; // for room in the filter's queue of connections
    std::uint64_t begun_ = 0;           // messages
    std::uint64_t last_number_ = 0;
    std::size_t talking_ = 0;
    std::size_t opened_ = 0; // idle connections
    std::size_t failures_ = 0;
    Clock::time_point next_arrival_;
    Clock::time_point moved_; // when something last did
};

} // namespace bench
