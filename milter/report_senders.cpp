#include "milter/report_senders.hpp"

#include "milter/report_rows.hpp"
#include "milter/report_words.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace milter {

namespace {

constexpr std::size_t sender_bar_columns = 12;
constexpr std::size_t least_name = 18;
constexpr std::size_t least_network = 24; // "2001:db8:1234:5678::/64"
constexpr std::size_t least_fault = 21;

std::string fault_in(const policy::Group& group) {
    return group.fault ? group.fault->in_short : "";
}

void add_more(Page& page, std::size_t rows, std::size_t limit) {
    if (rows > limit) {
        page.paragraph("and " + grouped(rows - limit) + " more: --limit " + std::to_string(rows),
                       margin);
    }
}

// Of whom only the sums know, because there are too many.
void add_dropped(Page& page, std::size_t rows, std::uint64_t all, std::string_view what) {
    if (all > rows) {
        page.paragraph("and, in the sums alone, " + grouped(all - rows) + ' ' + std::string{what} +
                           " with the least mail",
                       margin);
    }
}

std::string day_of(policy::Time time) {
    return date(std::chrono::floor<std::chrono::days>(time));
}

// With its kind where that is not the one of most messages.
std::string found_in(const policy::Group& group) {
    const policy::Fault& fault = *group.fault;
    const std::string kind =
        fault.kind == group.kind ? "" : " (" + std::string{word_for(fault.kind)} + ')';
    return "found" + kind + ": " + fault.found;
}

void add_letter(Page& page, std::size_t number, const policy::SenderDomainRow& row) {
    const policy::Group& group = row.group;
    const std::size_t indent = margin * 2 + 1;
    page.paragraph(std::to_string(number) + ". " + name_of(row.sender_domain), margin);
    page.paragraph(std::string{words_for(group.kind)} + ", from " +
                       counted(group.clients, "address in ", "addresses in ") +
                       counted(row.networks, "network, ", "networks, ") + day_of(group.first) +
                       " to " + day_of(group.last),
                   indent);
    if (group.fault) {
        page.paragraph(found_in(group), indent);
        for (const auto& line : group.fault->remedy) {
            page.paragraph(line, indent + margin);
        }
        for (const auto& hint : group.fault->hints) {
            page.paragraph("hint: " + hint, indent);
        }
    }
}

} // namespace

void add_sender_domains(Page& page, const policy::Report& report, std::size_t limit) {
    const auto rows = rows_with(report.sender_domains, is_refused);
    if (rows.empty()) {
        return;
    }
    page.heading("Sender domains that would be refused");
    TextTable table{{numbers(""),
                     names("sender domain", least_name),
                     numbers("refused"),
                     numbers("of"),
                     if_room(numbers("rcpts")),
                     if_room(words("kind")),
                     if_room(words("last")),
                     sentences("found most", least_fault),
                     if_room(words(""))}};
    std::size_t number = 0;
    for (const auto* row : limited(rows, limit)) {
        const policy::Group& group = row->group;
        const double part = share(group.counts.refused, rows.front()->group.counts.refused);
        table.add({std::to_string(++number),
                   name_of(row->sender_domain),
                   grouped(group.counts.refused),
                   grouped(group.counts.messages),
                   grouped(group.refused_recipients),
                   std::string{word_for(group.kind)},
                   short_date(group.last),
                   fault_in(group),
                   bar(part, sender_bar_columns, page.terminal())});
    }
    page.table(table);
    add_more(page, rows.size(), limit);
    add_dropped(page, report.sender_domains.size(), report.all_sender_domains, "sender domains");
}

void add_letters(Page& page, const policy::Report& report, std::size_t limit) {
    const auto rows = rows_with(report.sender_domains, is_refused);
    if (rows.empty()) {
        return;
    }
    page.heading("What to write to them");
    std::size_t number = 0;
    for (const auto* row : limited(rows, limit)) {
        add_letter(page, ++number, *row);
    }
}

void add_networks(Page& page, const policy::Report& report, std::size_t limit) {
    const auto rows = rows_with(report.client_networks, is_refused);
    if (rows.empty()) {
        return;
    }
    page.heading("Client networks that would be refused");
    TextTable table{{names("network", least_network),
                     numbers("refused"),
                     numbers("of"),
                     if_room(numbers("rcpts")),
                     if_room(numbers("domains")),
                     if_room(words("kind")),
                     sentences("found most", least_fault)}};
    for (const auto* row : limited(rows, limit)) {
        const policy::Group& group = row->group;
        table.add({row->network.to_string(),
                   grouped(group.counts.refused),
                   grouped(group.counts.messages),
                   grouped(group.refused_recipients),
                   grouped(row->sender_domains),
                   std::string{word_for(group.kind)},
                   fault_in(group)});
    }
    page.table(table);
    add_more(page, rows.size(), limit);
    add_dropped(page, report.client_networks.size(), report.all_networks, "networks");
}

void add_temporary_errors(Page& page, const policy::Report& report, std::size_t limit) {
    const auto rows = rows_with(report.sender_domains, has_only_temporary_errors);
    if (rows.empty()) {
        return;
    }
    page.heading("Sender domains with temporary errors alone");
    TextTable table{{names("sender domain", least_name),
                     numbers("errors"),
                     numbers("of"),
                     if_room(words("last")),
                     sentences("found most", least_fault)}};
    for (const auto* row : limited(rows, limit)) {
        table.add({name_of(row->sender_domain),
                   grouped(row->group.counts.temporary),
                   grouped(row->group.counts.messages),
                   short_date(row->group.last),
                   fault_in(row->group)});
    }
    page.table(table);
    add_more(page, rows.size(), limit);
}

void add_changes(Page& page, const policy::Report& report, std::size_t limit) {
    page.heading("Answers that would change");
    const auto rows = rows_with_changes(report.sender_domains);
    if (rows.empty()) {
        page.paragraph("None: every message would be answered as it was.", margin);
        return;
    }
    TextTable table{{names("sender domain", least_name),
                     numbers("to 5yz"),
                     numbers("to 4yz"),
                     numbers("to accepted"),
                     if_room(numbers("of"))}};
    const auto add = [&](const std::string& name, const policy::Counts& counts) {
        table.add({name,
                   grouped(counts.changed.rejected),
                   grouped(counts.changed.tempfailed),
                   grouped(counts.changed.accepted),
                   grouped(counts.messages)});
    };
    add("(all)", report.total.counts);
    for (const auto* row : limited(rows, limit)) {
        add(name_of(row->sender_domain), row->group.counts);
    }
    page.table(table);
    add_more(page, rows.size(), limit);
}

} // namespace milter
