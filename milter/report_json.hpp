// The report as JSON: every number. The keys are interface (sixgate(8)).
#pragma once

#include "milter/report_scope.hpp"
#include "policy/report.hpp"

#include <functional>
#include <string_view>

namespace milter {

using Write = std::function<void(std::string_view text)>;

// An object, row by row: of hostile mail there may be tens of thousands. One row is one line.
void write_json(const policy::Report& report, const ReportScope& scope, const Write& write);

} // namespace milter
