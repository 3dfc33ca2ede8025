#include "milter/report_stages.hpp"

#include "milter/report_words.hpp"
#include "policy/printable.hpp"

#include <cstddef>
#include <string>

namespace milter {

namespace {

constexpr std::size_t least_stage = 10;

std::string name_or(const std::string& stage, const char* without_name) {
    return stage.empty() ? without_name : policy::printable(stage);
}

} // namespace

void add_stages(Page& page, const policy::Report& report, Foretold foretold) {
    if (report.stages.size() < 2) {
        return;
    }
    const bool by_candidate = foretold == Foretold::by_candidate;
    page.heading(by_candidate ? "By stage of this configuration" : "By stage");
    TextTable table{{names("stage", least_stage),
                     numbers("judged"),
                     numbers("pass"),
                     numbers(by_candidate ? "refused" : "to refuse"),
                     if_room(numbers("4yz so far")),
                     if_room(numbers("5yz so far")),
                     if_room(numbers("domains"))}};
    for (const auto& row : report.stages) {
        const policy::Counts& counts = row.counts;
        table.add({name_or(row.stage, "(none)"),
                   grouped(counts.messages),
                   percent(counts.passing, counts.messages),
                   grouped(counts.refused),
                   grouped(counts.answered.tempfailed),
                   grouped(counts.answered.rejected),
                   grouped(row.sender_domains)});
    }
    page.table(table);
}

void add_stage_changes(Page& page, const policy::Report& report) {
    if (report.stage_changes.empty()) {
        return;
    }
    page.heading("Messages under another stage");
    TextTable table{{names("from", least_stage),
                     names("to", least_stage),
                     numbers("messages"),
                     if_room(numbers("to 5yz")),
                     if_room(numbers("to 4yz")),
                     if_room(numbers("to accepted")),
                     if_room(numbers("domains"))}};
    for (const auto& change : report.stage_changes) {
        table.add({name_or(change.from, "(none)"),
                   name_or(change.to, "(exempt)"),
                   grouped(change.messages),
                   grouped(change.changed.rejected),
                   grouped(change.changed.tempfailed),
                   grouped(change.changed.accepted),
                   grouped(change.sender_domains)});
    }
    page.table(table);
}

} // namespace milter
