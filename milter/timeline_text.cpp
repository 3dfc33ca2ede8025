#include "milter/timeline_text.hpp"

#include "policy/journal.hpp"
#include "policy/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace milter {

namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;
using verify::LookupFailure;

constexpr std::size_t longest_log = 4'000;

double since(Timeline::TimePoint begin, Timeline::TimePoint time) {
    return Milliseconds{time - begin}.count();
}

std::string text_of(const verify::Question& question) {
    return fmt::format("{:<4} {}", to_string(question.type), policy::printable(question.name));
}

// A question that others had asked before counts from when they did, if it was answered since.
TimelineRow row_of(const verify::Lookups::Used& used, Timeline::TimePoint begin) {
    TimelineRow row{{}, {}, text_of(used.question)};
    const verify::Answer& answer = *used.answer;
    if (answer.answered == Timeline::TimePoint{}) {
        row.what += !answer && answer.error() == LookupFailure::timeout ? ", not in by the deadline"
                                                                        : ", not asked";
    } else if (answer.answered < begin) {
        row.what += ", known before";
    } else {
        row.begin = since(begin, answer.asked);
        row.end = since(begin, answer.answered);
    }
    return row;
}

std::string number(const std::optional<double>& milliseconds) {
    return milliseconds ? fmt::format("{:.1f}", *milliseconds) : "";
}

} // namespace

std::vector<TimelineRow> timeline_rows(const Timeline& timeline,
                                       const std::vector<verify::Lookups::Used>& used) {
    std::vector<TimelineRow> rows;
    const auto begin = timeline.at(SessionEvent::connect);
    if (!begin) {
        return rows;
    }
    for (const SessionEvent event : all_events) {
        if (const auto time = timeline.at(event)) {
            rows.push_back({since(*begin, *time), {}, std::string{to_string(event)}});
        }
    }
    for (const auto& one : used) {
        rows.push_back(row_of(one, *begin));
    }
    std::ranges::stable_sort(rows, [](const TimelineRow& one, const TimelineRow& other) {
        return one.begin && (!other.begin || *one.begin < *other.begin);
    });
    return rows;
}

std::string timeline_text(const std::vector<TimelineRow>& rows) {
    std::string text;
    for (const auto& row : rows) {
        text += fmt::format("    {:>8}  {:>8}  {}\n", number(row.begin), number(row.end), row.what);
    }
    return text;
}

nlohmann::ordered_json timeline_json(const std::vector<TimelineRow>& rows) {
    auto json = nlohmann::ordered_json::array();
    for (const auto& row : rows) {
        nlohmann::ordered_json one{{"what", row.what}};
        if (row.begin) {
            one["begin_ms"] = *row.begin;
        }
        if (row.end) {
            one["end_ms"] = *row.end;
        }
        json.push_back(std::move(one));
    }
    return json;
}

std::string timeline_log(const std::vector<TimelineRow>& rows) {
    std::string text;
    for (const auto& row : rows) {
        const std::string when = number(row.begin) + (row.end ? '-' + number(row.end) : "");
        const std::string one = row.what + (when.empty() ? "" : ' ' + when);
        if (text.size() + one.size() > longest_log) {
            text += "; ...";
            break;
        }
        text += (text.empty() ? "" : "; ") + one;
    }
    return policy::logfmt("timeline_ms", text);
}

} // namespace milter
