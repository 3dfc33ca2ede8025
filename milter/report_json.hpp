// The report as JSON: every number. The keys are interface (sixgate(8)).
#pragma once

#include "milter/report_scope.hpp"
#include "policy/report.hpp"

#include <nlohmann/json_fwd.hpp>

namespace milter {

nlohmann::ordered_json to_json(const policy::Report& report, const ReportScope& scope);

} // namespace milter
