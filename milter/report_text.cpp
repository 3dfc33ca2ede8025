#include "milter/report_text.hpp"

#include "milter/page.hpp"
#include "milter/report_days.hpp"
#include "milter/report_fallback.hpp"
#include "milter/report_headline.hpp"
#include "milter/report_senders.hpp"
#include "milter/report_stages.hpp"
#include "milter/report_words.hpp"
#include "policy/printable.hpp"

#include <algorithm>

namespace milter {

namespace {

constexpr std::size_t usual_limit = 10;
constexpr std::size_t wide_bar = 40;
constexpr std::size_t bar_columns = 24;
constexpr std::size_t small_bar = 12;

void add_headline(Page& page, const policy::Report& report, const ReportScope& scope) {
    page.blank();
    page.paragraph(prognosis(report, scope));
    for (const auto& remark : remarks_on(report)) {
        page.paragraph(remark);
    }
    page.blank();
}

std::string told(const policy::Answers& answers) {
    return grouped(answers.accepted) + " accepted, " + grouped(answers.tempfailed) +
           " tempfailed (4yz), " + grouped(answers.rejected) + " rejected (5yz).";
}

void add_summary(Page& page, const policy::Report& report, const ReportScope& scope) {
    const policy::Counts& total = report.total.counts;
    TextTable table{
        {words("judged"), numbers(grouped(total.messages)), numbers(""), if_room(words(""))}};
    const auto add = [&](const std::string& what, std::uint64_t number) {
        table.add({what,
                   grouped(number),
                   percent(number, total.messages),
                   bar(share(number, total.messages), wide_bar, page.terminal())});
    };
    add("pass", total.passing);
    add("fall short", total.falling_short);
    add("temporary errors", total.temporary);
    add("exempt", total.exempt);
    if (total.unknown > 0) {
        add("unknown", total.unknown);
    }
    page.table(table);
    page.blank();
    page.paragraph("Answered so far: " + told(total.answered));
    page.paragraph((has_candidate(scope) ? "It would answer: " : "Enforcing would: ") +
                   told(total.foretold));
}

void add_reasons(Page& page, const policy::Report& report) {
    if (report.reasons.empty()) {
        return;
    }
    page.heading("Why");
    TextTable table{{names("reason", 24),
                     numbers("5yz"),
                     numbers("4yz"),
                     if_room(numbers("accepted")),
                     if_room(numbers("exempt")),
                     if_room(numbers("domains")),
                     if_room(words(""))}};
    const auto refused_by = [](const policy::ReasonRow& row) {
        return row.foretold.tempfailed + row.foretold.rejected;
    };
    const std::uint64_t most = refused_by(std::ranges::max(report.reasons, {}, refused_by));
    for (const auto& row : report.reasons) {
        table.add({std::string{to_string(row.reason)},
                   grouped(row.foretold.rejected),
                   grouped(row.foretold.tempfailed),
                   grouped(row.foretold.accepted),
                   grouped(row.exempt),
                   grouped(row.sender_domains),
                   bar(share(refused_by(row), most), small_bar, page.terminal())});
    }
    page.table(table);
}

void add_days(Page& page, const policy::Report& report, const ReportScope& scope) {
    const ShownDays shown = shown_days(report, scope.until);
    page.heading("By day (UTC)");
    TextTable table{{words("day"),
                     numbers("judged"),
                     numbers("pass"),
                     numbers("refused"),
                     if_room(numbers("")),
                     if_room(words(""))}};
    double highest = 0; // share of a day
    for (const auto& [day, counts] : shown.days) {
        highest = std::max(highest, share(counts.refused, counts.messages));
    }
    for (const auto& [day, counts] : shown.days) {
        const bool is_empty = counts.messages == 0;
        const double refused = share(counts.refused, counts.messages);
        table.add({date(day),
                   grouped(counts.messages),
                   is_empty ? "-" : percent(counts.passing, counts.messages),
                   grouped(counts.refused),
                   is_empty ? "-" : percent(counts.refused, counts.messages),
                   bar(highest == 0 ? 0 : refused / highest, bar_columns, page.terminal())});
    }
    page.table(table);
    if (shown.later > 0) {
        page.paragraph(later_days(shown), 2);
    }
}

} // namespace

std::string
report_text(const policy::Report& report, const ReportScope& scope, const Terminal& terminal) {
    Page page{terminal};
    page.heading(title_of(scope));
    if (has_candidate(scope)) {
        page.paragraph("Judged once more by " + policy::printable(scope.candidate));
    }
    if (report.total.counts.messages == 0) {
        page.paragraph(nothing_found(scope));
        return page.text();
    }
    if (begins_late(report, scope)) {
        page.paragraph("The first entry is of " + minute(report.total.first) + '.');
    }
    const std::size_t limit = scope.limit.value_or(usual_limit);
    add_headline(page, report, scope);
    add_summary(page, report, scope);
    add_reasons(page, report);
    if (has_candidate(scope)) {
        add_stages(page, report, Foretold::by_candidate);
        add_stage_changes(page, report);
        add_changes(page, report, limit);
    } else {
        add_stages(page, report, Foretold::by_enforcing);
    }
    add_sender_domains(page, report, limit);
    add_letters(page, report, limit);
    add_networks(page, report, limit);
    add_temporary_errors(page, report, limit);
    add_fallback(page, report, limit);
    add_days(page, report, scope);
    return page.text();
}

} // namespace milter
