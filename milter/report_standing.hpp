// Whether refusing is safe, as far as the journal knows.
#pragma once

#include "milter/report_scope.hpp"
#include "policy/report.hpp"

#include <string>
#include <vector>

namespace milter {

struct Standing {
    const char* kind; // "safe", "unsure" or "harm", for the page's style
    const char* word;
    std::string says;
};

// Of a report on at least one message. It is safe only where nothing would be refused and nothing
// casts doubt on that.
Standing standing_of(const policy::Report& report, const ReportScope& scope);

// A sentence each: what of the time or of the mail is not known, besides remarks_on().
std::vector<std::string> doubts_on(const policy::Report& report, const ReportScope& scope);

} // namespace milter
