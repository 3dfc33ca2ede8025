#include "milter/report_days.hpp"

#include "milter/report_words.hpp"

#include <algorithm>
#include <chrono>
#include <map>

namespace milter {

namespace {

constexpr std::chrono::days most_days{31};

} // namespace

ShownDays shown_days(const policy::Report& report, policy::Time until) {
    const auto today = std::chrono::floor<std::chrono::days>(until);
    const auto last = std::min(report.days.back().day, today);
    const auto first = std::max(report.days.front().day, last - most_days + std::chrono::days{1});
    std::map<std::chrono::sys_days, policy::Counts> counts;
    ShownDays shown;
    for (const auto& row : report.days) {
        if (row.day <= last) {
            counts[row.day] = row.counts;
        } else {
            shown.later += row.counts.messages;
        }
    }
    for (auto day = first; day <= last; day += std::chrono::days{1}) {
        shown.days.push_back({day, counts[day]});
    }
    return shown;
}

std::string later_days(const ShownDays& shown) {
    return "and " + counted(shown.later, "message", "messages") +
           " of days to come: the clock of a host ran ahead";
}

} // namespace milter
