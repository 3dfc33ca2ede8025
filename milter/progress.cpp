#include "milter/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace milter {

namespace {

constexpr std::uint64_t steps_a_look = 256; // at the clock
constexpr std::chrono::seconds usual_patience{1};
constexpr std::chrono::milliseconds pause{100};
constexpr std::size_t progress_columns = 24;

} // namespace

Progress::Progress(std::string_view what, std::uint64_t total)
    : Progress{what, total, {stderr, terminal_at(STDERR_FILENO), usual_patience}} {}

Progress::Progress(std::string_view what, std::uint64_t total, const ProgressOutput& output)
    : what_{what}, total_{total}, output_{output}, next_{Clock::now() + output.patience} {}

Progress::~Progress() {
    if (is_shown_) {
        std::fputs("\r\033[K", output_.stream);
        std::fflush(output_.stream);
    }
}

void Progress::step() {
    ++done_;
    if (output_.terminal.is_terminal && done_ % steps_a_look == 0 && Clock::now() >= next_) {
        show();
        next_ = Clock::now() + pause;
    }
}

void Progress::show() {
    const double share =
        total_ == 0 ? 1 : std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
    const std::string blocks = bar(share, progress_columns, output_.terminal);
    const std::string space(progress_columns - columns_of(blocks), ' ');
    const std::string head = fmt::format("{:3.0f}% ", share * 100);
    const std::string tail = fmt::format(" {} of {} {}", done_, total_, what_);
    const std::size_t room = output_.terminal.columns - 1;
    if (head.size() + progress_columns + tail.size() <= room) {
        fmt::print(output_.stream, "\r{}{}{}{}\033[K", head, blocks, space, tail);
    } else {
        fmt::print(output_.stream, "\r{}\033[K", head);
    }
    std::fflush(output_.stream);
    is_shown_ = true;
}

} // namespace milter
