// The report for people: in ten seconds whether it is safe to refuse, and whom to write to.
#pragma once

#include "milter/report_scope.hpp"
#include "milter/terminal.hpp"
#include "policy/report.hpp"

#include <string>

namespace milter {

// Lines with their ends, none wider than the terminal. ASCII and without control characters where
// it is none.
std::string
report_text(const policy::Report& report, const ReportScope& scope, const Terminal& terminal);

} // namespace milter
