// One connection to the filter with one message. Whoever owns it waits for its socket.
#pragma once

#include "tests/bench/load/dialogue.hpp"
#include "tests/bench/load/results.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;

// What became of a message.
struct Outcome {
    std::string verdict; // with its stage: "eom:continue"
    Results results{};
    std::vector<std::pair<Stage, Clock::duration>> waits; // from the last octet to the answer
    Clock::duration total{};                              // from the beginning of its session
};

class Session {
public:
    enum class Plan : std::uint8_t { message, greeting };
    enum class State : std::uint8_t { waits_for_backlog, negotiates, talks, stays_open, is_over };

    // `began` may be earlier than now: when the client came, whatever we were busy with.
    Session(const Sample& sample, std::uint64_t number, Plan plan, Clock::time_point began);
    ~Session();

    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Until the filter's queue of connections has room, the state stays waits_for_backlog. This and
    // the next throw std::runtime_error for what ends the session.
    void connect(const std::string& path);

    // Sends and reads as far as it gets without waiting.
    void go_on();

    int descriptor() const { return socket_; }

    State state() const { return state_; }

    bool has_more_to_send() const { return sent_ < turn().size(); }

    std::uint64_t number() const { return number_; }

    const Sample& sample() const { return sample_; }

    const Outcome& outcome() const { return outcome_; }

private:
    const Turn& turn() const { return turns_[turn_]; }

    void send();
    bool read();
    void take_packets();
    void take(char command, std::string_view content);
    void take_field(std::string_view name, std::string_view value);
    void take_steps(std::string_view content);
    void take_verdict(char command, std::string_view content);
    void begin_turn(std::size_t turn);
    void end();

    const Sample& sample_;
    std::uint64_t number_;
    Plan plan_;
    Clock::time_point began_;
    Clock::time_point asked_;
    State state_ = State::waits_for_backlog;
    int socket_ = -1;
    std::vector<Turn> turns_;
    std::size_t turn_ = 0;
    std::size_t sent_ = 0;
    std::string received_;
    Outcome outcome_;
};

} // namespace bench
