// Where the time of a message goes: its events, and the DNS questions that it rests on.
#pragma once

#include "milter/timeline.hpp"
#include "milter/verify/lookups.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace milter {

// Milliseconds since the connection. An event has no end; what was known before it, neither.
struct TimelineRow {
    enum class Kind : std::uint8_t { event, question };

    Kind kind = Kind::event;
    std::string what; // "end of header", "TXT example.org"; a stranger's octets
    std::optional<double> begin;
    std::optional<double> end;
    std::string_view note; // "known before", "timeout"; mostly empty
};

// In the order of time; what was known before comes last.
std::vector<TimelineRow> timeline_rows(const Timeline& timeline,
                                       const std::vector<verify::Lookups::Used>& used);

// Indented lines that go below a heading; each ends with LF.
std::string timeline_text(const std::vector<TimelineRow>& rows);

// An array of objects with `event` or `question`, `begin_ms`, `end_ms` and `note`.
nlohmann::ordered_json timeline_json(const std::vector<TimelineRow>& rows);

// " timeline_ms=..." in logfmt, of about 4,000 octets at most.
std::string timeline_log(const std::vector<TimelineRow>& rows);

} // namespace milter
