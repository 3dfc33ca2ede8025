// The part of the page that tells what soft refusals led to.
#pragma once

#include "policy/report.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>

namespace milter {

// null where nothing is watched for. Of sender domains `limit` rows.
nlohmann::ordered_json fallback_of(const policy::Report& report, std::size_t limit);

} // namespace milter
