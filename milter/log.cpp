#include "milter/log.hpp"

#include <syslog.h>

#include <cstdio>

namespace milter {

namespace {

int priority_of(LogLevel level) {
    switch (level) {
    case LogLevel::debug: return LOG_DEBUG;
    case LogLevel::info: return LOG_INFO;
    case LogLevel::warning: return LOG_WARNING;
    case LogLevel::error: return LOG_ERR;
    }
    return LOG_ERR;
}

const char* level_word(LogLevel level) {
    switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
    }
    return "error";
}

} // namespace

Log::Log(Target target) : target_{target} {
    if (target_ == Target::syslog) {
        openlog("sixgate", LOG_PID | LOG_NDELAY, LOG_MAIL);
    }
}

Log::~Log() {
    if (target_ == Target::syslog) {
        closelog();
    }
}

void Log::write(LogLevel level, std::string_view text) noexcept {
    if (!writes(level)) {
        return;
    }
    const int size = static_cast<int>(text.size());
    switch (target_) {
    case Target::syslog: syslog(priority_of(level), "%.*s", size, text.data()); break;
    case Target::standard_error: {
        const std::lock_guard lock{mutex_};
        std::fprintf(stderr, "level=%s %.*s\n", level_word(level), size, text.data());
        break;
    }
    case Target::nowhere: break;
    }
}

} // namespace milter
