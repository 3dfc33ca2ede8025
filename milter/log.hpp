// The log: logfmt lines to syslog (facility mail) or, in the foreground, to standard error.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace milter {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

class Log {
public:
    enum class Target : std::uint8_t { syslog, standard_error, nowhere };

    explicit Log(Target target);
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    ~Log();

    // What is less is not written. To begin with, LogLevel::info. From any thread.
    void set_level(LogLevel level) { level_ = level; }

    bool writes(LogLevel level) const { return level >= level_; }

    // One line, without its end; `text` is printable. From any thread. Never throws.
    void write(LogLevel level, std::string_view text) noexcept;

private:
    const Target target_;
    std::atomic<LogLevel> level_{LogLevel::info};
    std::mutex mutex_; // guards standard error, so that lines stay whole
};

} // namespace milter
