#include "milter/report_text.hpp"

#include "milter/page.hpp"
#include "milter/report_fallback.hpp"
#include "milter/report_senders.hpp"
#include "milter/report_stages.hpp"
#include "milter/report_words.hpp"
#include "policy/printable.hpp"

#include <algorithm>
#include <map>

namespace milter {

namespace {

constexpr std::size_t usual_limit = 10;
constexpr std::chrono::days most_days{31};
constexpr std::size_t wide_bar = 40;
constexpr std::size_t bar_columns = 24;
constexpr std::size_t small_bar = 12;

bool has_candidate(const ReportScope& scope) {
    return !scope.candidate.empty();
}

std::string title_of(const ReportScope& scope) {
    const std::string text =
        "Mail over IPv6, " + minute(scope.since) + " to " + minute(scope.until) + " UTC";
    return scope.stage.empty() ? text : text + ", stage " + policy::printable(scope.stage);
}

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

void add_headline(Page& page, const policy::Report& report, const ReportScope& scope) {
    const policy::Counts& total = report.total.counts;
    page.blank();
    page.paragraph(prognosis(report, scope));
    if (const auto own = report.total.refused_kinds[policy::SenderKind::own_range]; own > 0) {
        page.paragraph(counted(own, "of them seems", "of them seem") +
                       " to come from hosts of your own: see to [exempt] networks first.");
    }
    if (const auto spared = total.falling_short - total.refused; spared > 0) {
        page.paragraph(counted(spared, "message falls", "messages fall") +
                       " short and would pass nevertheless, because the mode refuses nothing.");
    }
    if (total.unknown > 0) {
        page.paragraph(counted(total.unknown, "message", "messages") +
                       " cannot be judged once more: refused before any check, or without an "
                       "answer to what this configuration asks.");
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

// Every day up to the last with mail, as far back as there is room; none that has yet to come, of
// which an entry may be where a clock ran ahead.
void add_days(Page& page, const policy::Report& report, const ReportScope& scope) {
    const auto today = std::chrono::floor<std::chrono::days>(scope.until);
    const auto last = std::min(report.days.back().day, today);
    std::map<std::chrono::sys_days, policy::Counts> days;
    std::uint64_t later = 0; // messages
    for (const auto& row : report.days) {
        if (row.day <= last) {
            days[row.day] = row.counts;
        } else {
            later += row.counts.messages;
        }
    }
    const auto first = std::max(report.days.front().day, last - most_days + std::chrono::days{1});
    double highest = 0; // share of a day
    for (const auto& [day, counts] : days) {
        highest = std::max(highest, share(counts.refused, counts.messages));
    }
    page.heading("By day (UTC)");
    TextTable table{{words("day"),
                     numbers("judged"),
                     numbers("pass"),
                     numbers("refused"),
                     if_room(numbers("")),
                     if_room(words(""))}};
    for (auto day = first; day <= last; day += std::chrono::days{1}) {
        const policy::Counts& counts = days[day];
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
    if (later > 0) {
        page.paragraph("and " + counted(later, "message", "messages") +
                           " of days to come: the clock of a host ran ahead",
                       2);
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
        page.paragraph("There are no entries in the journal for this time" +
                       (scope.stage.empty() ? std::string{"."} : " and stage."));
        return page.text();
    }
    if (report.total.first >= scope.since + std::chrono::days{1}) { // not only a quiet night
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
