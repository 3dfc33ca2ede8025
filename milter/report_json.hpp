// The report as JSON: every number. The keys are interface (sixgate(8)).
#pragma once

#include "milter/report_scope.hpp"
#include "policy/report.hpp"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <string_view>

namespace milter {

nlohmann::ordered_json total_json(const policy::Report& report);
nlohmann::ordered_json to_json(const policy::SenderDomainRow& row);
nlohmann::ordered_json to_json(const policy::NetworkRow& row);
nlohmann::ordered_json to_json(const policy::ReasonRow& row);
nlohmann::ordered_json to_json(const policy::StageRow& row);
nlohmann::ordered_json to_json(const policy::StageChange& change);
nlohmann::ordered_json to_json(const policy::DayRow& row);

using Write = std::function<void(std::string_view text)>;

// An object, row by row: of hostile mail there may be tens of thousands. One row is one line.
void write_json(const policy::Report& report, const ReportScope& scope, const Write& write);

} // namespace milter
