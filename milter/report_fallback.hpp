// The part of a report that tells what soft refusals led to.
#pragma once

#include "milter/page.hpp"
#include "policy/report.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace milter {

// Adds nothing where nothing is watched for.
void add_fallback(Page& page, const policy::Report& report, std::size_t limit);

// "0.4 s", "12 s", "5 min", "3 h", "2 d": as much as one wants to know of a delay.
std::string delay_told(std::chrono::milliseconds delay);

} // namespace milter
