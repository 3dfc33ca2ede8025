// The parts of a report for people that tell of stages: who is under which, and what comes of it.
#pragma once

#include "milter/page.hpp"
#include "policy/report.hpp"

#include <cstdint>

namespace milter {

enum class Foretold : std::uint8_t { by_enforcing, by_candidate };

// Adds nothing where there is one stage alone.
void add_stages(Page& page, const policy::Report& report, Foretold foretold);

// What a candidate puts under another stage.
void add_stage_changes(Page& page, const policy::Report& report);

} // namespace milter
