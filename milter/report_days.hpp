// The days that a report for people shows.
#pragma once

#include "policy/report.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace milter {

struct ShownDays {
    std::vector<policy::DayRow> days; // one after the other, also those without mail; at most 31
    std::uint64_t later = 0;          // messages of days to come
};

// Every day up to the last with mail, as far back as there is room; none after that of `until`, of
// which an entry may be where a clock ran ahead. There is at least one day with mail.
ShownDays shown_days(const policy::Report& report, policy::Time until);

std::string later_days(const ShownDays& shown); // where there are messages of such

} // namespace milter
