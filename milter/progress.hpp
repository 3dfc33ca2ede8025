// A bar on standard error for what takes longer than a moment.
#pragma once

#include "milter/terminal.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace milter {

// Shows nothing where standard error is no terminal, or before a second has passed; and leaves
// nothing behind.
class Progress {
public:
    Progress(std::string_view what, std::uint64_t total);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    void step(); // one of `total` is done

private:
    using Clock = std::chrono::steady_clock;

    void show();

    std::string_view what_;
    std::uint64_t total_;
    std::uint64_t done_ = 0;
    Terminal terminal_;
    Clock::time_point next_; // time to show something
    bool is_shown_ = false;
};

} // namespace milter
