#include "milter/report_standing.hpp"

#include "milter/report_headline.hpp"
#include "milter/report_words.hpp"

#include <algorithm>

namespace milter {

namespace {

// Of a sender that has never passed, a temporary error may hide anything.
bool has_never_passed(const policy::SenderDomainRow& row) {
    return row.group.counts.temporary > 0 && row.group.counts.passing == 0;
}

std::uint64_t rows_left_out(const policy::Report& report) {
    return report.all_sender_domains - report.sender_domains.size();
}

bool is_all_known(const policy::Report& report, const ReportScope& scope) {
    const policy::Counts& total = report.total.counts;
    return total.unknown == 0 && total.falling_short == total.refused && report.unreadable == 0 &&
           (total.temporary == 0 || rows_left_out(report) == 0) && !begins_late(report, scope) &&
           std::ranges::none_of(report.sender_domains, has_never_passed);
}

} // namespace

Standing standing_of(const policy::Report& report, const ReportScope& scope) {
    const policy::Counts& total = report.total.counts;
    const std::uint64_t known = total.messages - total.unknown;
    if (known == 0) {
        return {"unsure", "Not known", prognosis(report, scope)};
    }
    if (total.refused > 0) {
        return {"harm",
                "Not yet safe",
                percent(total.refused, known) + " of the mail would be refused"};
    }
    if (!is_all_known(report, scope)) {
        return {"unsure", "Not known to be safe", "Nothing would be refused, as far as is known"};
    }
    return {"safe", "Safe", "No mail would be refused"};
}

std::vector<std::string> doubts_on(const policy::Report& report, const ReportScope& scope) {
    std::vector<std::string> doubts;
    if (begins_late(report, scope)) {
        doubts.push_back("The journal begins on " + minute(report.total.first) +
                         " UTC: of the time before nothing is known.");
    }
    if (report.unreadable > 0) {
        doubts.push_back(counted(report.unreadable, "entry", "entries") +
                         " of the journal cannot be read and stand in no number.");
    }
    if (const std::uint64_t temporary = report.total.counts.temporary;
        temporary > 0 && rows_left_out(report) > 0) {
        doubts.push_back("Of " + counted(rows_left_out(report), "sender domain", "sender domains") +
                         " with little mail it is not known whether they have ever passed.");
    }
    if (const std::uint64_t temporary = report.total.counts.temporary; temporary > 0) {
        const auto never = std::ranges::count_if(report.sender_domains, has_never_passed);
        doubts.push_back(counted(temporary, "message", "messages") +
                         " met a temporary error in DNS and would be put off" +
                         (never == 0 ? std::string{"."}
                                     : "; " +
                                           counted(static_cast<std::uint64_t>(never),
                                                   "sender domain has",
                                                   "sender domains have") +
                                           " never been seen to pass."));
    }
    return doubts;
}

} // namespace milter
