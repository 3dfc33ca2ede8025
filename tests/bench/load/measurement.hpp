// What a run has shown: counted from its warm-up on until it stops.
#pragma once

#include "tests/bench/load/histogram.hpp"
#include "tests/bench/load/manifest.hpp"
#include "tests/bench/load/process.hpp"
#include "tests/bench/load/session.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bench {

// What makes a run a good one, and how long it is.
struct MeasurementSettings {
    std::vector<pid_t> processes;         // of the filter
    std::vector<std::string> required;    // methods whose results must be there and true
    std::set<std::string> verdicts;       // what messages may end with
    std::size_t warm_up = 0;              // messages that are not measured
    std::size_t most = 0;                 // measured messages; 0: any number
    std::chrono::duration<double> time{}; // 0: any
};

class Measurement {
public:
    explicit Measurement(MeasurementSettings settings);

    // A session is over. Says nothing of what comes before and after the measured part.
    void add(const Session& session);

    // A session came to a bad end.
    void add_error(const std::string& what) { ++errors_[what]; }

    // To be called often: begins and ends the measured part, and looks for peaks.
    void look(Clock::time_point now);

    bool is_over() const { return phase_ == Phase::over; }

    // Whether there was no error and nothing wrong.
    bool is_good() const;

    // One JSON object.
    std::string json() const;

private:
    enum class Phase : std::uint8_t { warm_up, measured, over };

    struct Count {
        std::uint64_t passes = 0;
        std::uint64_t absent = 0;
        std::uint64_t wrong = 0;
    };

    bool is_long_enough(Clock::time_point now) const;
    void add_results(const Session& session);

    MeasurementSettings settings_;
    Phase phase_ = Phase::warm_up;
    Clock::time_point began_;
    Clock::time_point ended_;
    Clock::time_point looked_;
    Use use_at_begin_;
    Use use_at_end_;
    Use peak_;
    std::chrono::nanoseconds own_at_begin_{0};
    std::chrono::nanoseconds own_at_end_{0};
    std::uint64_t all_messages_ = 0;
    std::uint64_t messages_ = 0;
    std::array<Histogram, stage_count> by_stage_;
    std::map<std::string, Histogram> by_kind_;
    Histogram whole_;
    std::array<Count, method_count> methods_{};
    std::map<std::string, std::uint64_t> verdicts_;
    std::map<std::string, std::uint64_t> errors_;
};

} // namespace bench
