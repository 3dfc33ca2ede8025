#include "milter/report_headline.hpp"

#include "milter/report_words.hpp"
#include "policy/printable.hpp"

#include <string_view>

namespace milter {

namespace {

// How few of the domains send most of what is refused: whether letters will do. Empty where it
// takes more than half of them, or those that have no row.
std::string concentration(const policy::Report& report) {
    const std::uint64_t refused = report.total.counts.refused;
    std::uint64_t sum = 0;
    std::uint64_t domains = 0;
    for (const auto& row : report.sender_domains) {
        if (sum * 10 >= refused * 8) {
            break;
        }
        sum += row.group.counts.refused;
        ++domains;
    }
    if (sum * 10 < refused * 8 || domains * 2 > report.refused_sender_domains) {
        return "";
    }
    return ' ' + counted(domains, "domain sends ", "domains send ") + percent(sum, refused) +
           " of that.";
}

} // namespace

bool has_candidate(const ReportScope& scope) {
    return !scope.candidate.empty();
}

std::string title_of(const ReportScope& scope) {
    const std::string text =
        "Mail over IPv6, " + minute(scope.since) + " to " + minute(scope.until) + " UTC";
    return scope.stage.empty() ? text : text + ", stage " + policy::printable(scope.stage);
}

std::string nothing_found(const ReportScope& scope) {
    return "There are no entries in the journal for this time" +
           (scope.stage.empty() ? std::string{"."} : " and stage.");
}

bool begins_late(const policy::Report& report, const ReportScope& scope) {
    return report.total.first >= scope.since + std::chrono::days{1}; // not only a quiet night
}

std::string prognosis(const policy::Report& report, const ReportScope& scope) {
    const policy::Counts& total = report.total.counts;
    const std::string subject = has_candidate(scope) ? "This configuration" : "Enforcing";
    const std::uint64_t known = total.messages - total.unknown;
    const std::string_view which = total.unknown == 0 ? "" : " that can be judged";
    if (known == 0) {
        return "Nothing can be foretold.";
    }
    if (total.refused == 0) {
        return subject + " would refuse none of " + counted(known, "message", "messages") +
               std::string{which} + '.';
    }
    return subject + " would refuse " + grouped(total.refused) + " of " +
           counted(known, "message", "messages") + std::string{which} + " (" +
           percent(total.refused, known) + "), of " +
           counted(report.refused_sender_domains, "sender domain, to ", "sender domains, to ") +
           counted(report.total.refused_recipients, "recipient.", "recipients.") +
           concentration(report);
}

std::vector<std::string> remarks_on(const policy::Report& report) {
    const policy::Counts& total = report.total.counts;
    std::vector<std::string> remarks;
    if (const auto own = report.total.refused_kinds[policy::SenderKind::own_range]; own > 0) {
        remarks.push_back(counted(own, "of them seems", "of them seem") +
                          " to come from hosts of your own: see to [exempt] networks first.");
    }
    if (const auto spared = total.falling_short - total.refused; spared > 0) {
        remarks.push_back(counted(spared, "message falls", "messages fall") +
                          " short and would pass nevertheless, because the mode refuses nothing.");
    }
    if (total.unknown > 0) {
        remarks.push_back(counted(total.unknown, "message", "messages") +
                          " cannot be judged once more: refused before any check, or without an "
                          "answer to what this configuration asks.");
    }
    return remarks;
}

} // namespace milter
