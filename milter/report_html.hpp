// The report as a page for a browser: that of report_text(), with charts, in one file.
#pragma once

#include "milter/report_scope.hpp"
#include "policy/report.hpp"

#include <string>

namespace milter {

// A page that fetches nothing and runs nothing (html_page.hpp). Its numbers are those of
// write_json().
std::string report_html(const policy::Report& report, const ReportScope& scope);

} // namespace milter
