// A bar on standard error for what takes longer than a moment.
#pragma once

#include "milter/terminal.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace milter {

// Where a bar is shown, and for what.
struct ProgressOutput {
    std::FILE* stream;
    Terminal terminal;
    std::chrono::milliseconds patience; // nothing is shown before
};

// Shows nothing where its output is no terminal; and leaves nothing behind.
class Progress {
public:
    Progress(std::string_view what, std::uint64_t total); // on standard error, after a second
    Progress(std::string_view what, std::uint64_t total, const ProgressOutput& output);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    void step(); // one of `total` is done

    std::uint64_t done() const { return done_; }

private:
    using Clock = std::chrono::steady_clock;

    void show();

    std::string_view what_;
    std::uint64_t total_;
    std::uint64_t done_ = 0;
    ProgressOutput output_;
    Clock::time_point next_; // time to show something
    bool is_shown_ = false;
};

} // namespace milter
