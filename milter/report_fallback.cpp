#include "milter/report_fallback.hpp"

#include "milter/report_words.hpp"
#include "policy/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace milter {

namespace {

constexpr std::size_t least_sender = 14;

std::string or_dash(const policy::Delays& delays, std::chrono::milliseconds delay) {
    return delays.count == 0 ? "-" : delay_told(delay);
}

void add_fates(Page& page, const policy::FallbackReport& fallback) {
    const policy::FallbackCounts& total = fallback.total;
    TextTable table{{words("what became of them"),
                     numbers("messages"),
                     numbers(""),
                     if_room(numbers("median")),
                     if_room(numbers("longest"))}};
    const auto add = [&](const std::string& what, const policy::Delays& delays) {
        table.add({what,
                   grouped(delays.count),
                   percent(delays.count, total.messages),
                   or_dash(delays, delays.median),
                   or_dash(delays, delays.longest)});
    };
    const auto add_number = [&](const std::string& what, std::uint64_t number) {
        table.add({what, grouped(number), percent(number, total.messages), "-", "-"});
    };
    add("came back over IPv4", total.ipv4);
    add("came back mended", total.mended);
    add("came back and were let through", total.let_through);
    add("refused for good in the end", total.refused);
    add_number("not seen here again", total.not_seen);
    add_number("still open", total.open);
    page.table(table);
}

void add_fallback_rows(Page& page,
                       const std::vector<policy::FallbackRow>& rows,
                       const std::string& heading,
                       std::size_t limit) {
    page.blank();
    TextTable table{{names(heading, least_sender),
                     numbers("messages"),
                     numbers("IPv4"),
                     numbers("mended"),
                     if_room(numbers("not seen")),
                     if_room(numbers("open")),
                     if_room(numbers("median, IPv4"))}};
    for (const auto& row : rows) {
        if (limit-- == 0) {
            break;
        }
        const policy::FallbackCounts& counts = row.counts;
        table.add({row.name.empty() ? "<>" : policy::printable(row.name),
                   grouped(counts.messages),
                   grouped(counts.ipv4.count),
                   grouped(counts.mended.count),
                   grouped(counts.not_seen),
                   grouped(counts.open),
                   or_dash(counts.ipv4, counts.ipv4.median)});
    }
    page.table(table);
}

} // namespace

std::string delay_told(std::chrono::milliseconds delay) {
    using std::chrono::duration_cast;
    if (delay < std::chrono::seconds{10}) {
        return fmt::format("{:.1f} s", static_cast<double>(delay.count()) / 1'000);
    }
    if (delay < std::chrono::minutes{2}) {
        return fmt::format("{} s", duration_cast<std::chrono::seconds>(delay).count());
    }
    if (delay < std::chrono::hours{2}) {
        return fmt::format("{} min", duration_cast<std::chrono::minutes>(delay).count());
    }
    if (delay < std::chrono::days{2}) {
        return fmt::format("{} h", duration_cast<std::chrono::hours>(delay).count());
    }
    return fmt::format("{} d", duration_cast<std::chrono::days>(delay).count());
}

void add_fallback(Page& page, const policy::Report& report, std::size_t limit) {
    if (!report.fallback) {
        return;
    }
    const policy::FallbackReport& fallback = *report.fallback;
    page.heading("After soft refusals");
    if (fallback.total.messages == 0) {
        page.paragraph("Nothing was refused softly in this time.", margin);
        return;
    }
    page.paragraph(counted(fallback.total.messages, "message", "messages") +
                       ", each counted for each of its recipients, refused softly in " +
                       counted(fallback.total.attempts, "attempt", "attempts") + "; watched for " +
                       delay_told(fallback.window) +
                       ". What was not seen here again may have been taken by another MX host.",
                   margin);
    add_fates(page, fallback);
    if (fallback.stages.size() > 1) {
        add_fallback_rows(page, fallback.stages, "stage", fallback.stages.size());
    }
    add_fallback_rows(page, fallback.sender_domains, "sender domain", limit);
}

} // namespace milter
