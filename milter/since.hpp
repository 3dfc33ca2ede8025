// A moment as it is given on a command line.
#pragma once

#include "policy/journal.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace milter {

// "90s", "30m", "12h", "14d" or "2w"; at most 5 digits. Empty for anything else.
std::optional<std::chrono::milliseconds> parse_length(std::string_view text);

// "90s", "30m", "12h", "14d" or "2w" before `now`; "2026-11-22", "2026-11-22T08:00" or
// "2026-11-22T08:00:00", in UTC, with or without a Z after the time. Empty for anything else.
std::optional<policy::Time> parse_since(std::string_view text, policy::Time now);

// RFC 3339 section 5.6, in any offset: "2026-11-22T08:00:00Z", "2026-11-22T09:00:00+01:00". Seconds
// may be left out.
std::optional<policy::Time> parse_time(std::string_view text);

policy::Time now();

// RFC 3339, in UTC: "2026-11-22T08:00:00Z".
std::string to_string(policy::Time time);

} // namespace milter
