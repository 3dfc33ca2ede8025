// Where the time of a message goes: its events, and the DNS questions that it rests on.
#pragma once

#include "milter/timeline.hpp"
#include "milter/verify/lookups.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace milter {

// Milliseconds since the connection. An event has no end; an answer that was known before, nothing.
struct TimelineRow {
    std::optional<double> begin;
    std::optional<double> end;
    std::string what; // printable
};

// In the order of time; what was known before comes last.
std::vector<TimelineRow> timeline_rows(const Timeline& timeline,
                                       const std::vector<verify::Lookups::Used>& used);

// Indented lines that go below a heading; each ends with LF.
std::string timeline_text(const std::vector<TimelineRow>& rows);

nlohmann::ordered_json timeline_json(const std::vector<TimelineRow>& rows);

// " timeline_ms=..." in logfmt, of at most about 4,000 octets.
std::string timeline_log(const std::vector<TimelineRow>& rows);

} // namespace milter
