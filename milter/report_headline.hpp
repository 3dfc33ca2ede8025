// What a report for people says first: what would be refused, and what to know about that number.
#pragma once

#include "milter/report_scope.hpp"
#include "policy/report.hpp"

#include <string>
#include <vector>

namespace milter {

bool has_candidate(const ReportScope& scope);

std::string title_of(const ReportScope& scope);
std::string nothing_found(const ReportScope& scope); // where there is no entry

// The journal does not reach back as far as was asked.
bool begins_late(const policy::Report& report, const ReportScope& scope);

// One sentence, or two: how much would be refused, of how many, and how few send most of it.
std::string prognosis(const policy::Report& report, const ReportScope& scope);

// A sentence each: what may mislead in that number, because it is not to be refused, or not known.
std::vector<std::string> remarks_on(const policy::Report& report);

} // namespace milter
