// The days of a report as two charts, one above the other: what was judged, and what of it would
// be refused. In numbers for SVG: across in percent, so that they fit any width, and down in
// pixels.
#pragma once

#include "milter/report_days.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>

namespace milter {

// {"columns": [...], "labels": [...], "judged": SCALE, "refused": SCALE}, where a scale has the
// height and the lines to read values by.
nlohmann::ordered_json chart_of(const ShownDays& shown);

// The least of 1, 2, 4, 10, 20, 40, 100... that is not under `number`: where a scale ends.
std::uint64_t end_of_scale(std::uint64_t number);

} // namespace milter
