#include "milter/timeline_text.hpp"

#include "policy/journal.hpp"
#include "policy/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace milter {

namespace {

using Kind = TimelineRow::Kind;

constexpr std::size_t longest_log = 4'000;

double since(Timeline::TimePoint begin, Timeline::TimePoint time) {
    return std::chrono::duration<double, std::milli>{time - begin}.count();
}

std::string words_for(const verify::Question& question) {
    return std::string{to_string(question.type)} + ' ' + question.name;
}

// A question that others had asked before counts from when they did, if it was answered since.
TimelineRow row_of(const verify::Lookups::Used& used, Timeline::TimePoint begin) {
    TimelineRow row{Kind::question, words_for(used.question), {}, {}, {}};
    const verify::Answer& answer = *used.answer;
    if (answer.asked == Timeline::TimePoint{}) {
        row.note = "not asked";
    } else if (answer.answered < begin) {
        row.note = "known before";
    } else {
        row.begin = since(begin, answer.asked);
        row.end = since(begin, answer.answered);
        row.note = answer ? std::string_view{} : to_string(answer.error());
    }
    return row;
}

std::string number(const std::optional<double>& milliseconds) {
    return milliseconds ? fmt::format("{:.1f}", *milliseconds) : "";
}

std::string with_note(const TimelineRow& row, const std::string& text) {
    return text + (row.note.empty() ? "" : ", " + std::string{row.note});
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
            rows.push_back(
                {Kind::event, std::string{to_string(event)}, since(*begin, *time), {}, {}});
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
        text += fmt::format("    {:>8}  {:>8}  {}\n",
                            number(row.begin),
                            number(row.end),
                            with_note(row, policy::printable(row.what)));
    }
    return text;
}

nlohmann::ordered_json timeline_json(const std::vector<TimelineRow>& rows) {
    auto json = nlohmann::ordered_json::array();
    for (const auto& row : rows) {
        const char* kind = row.kind == Kind::event ? "event" : "question";
        nlohmann::ordered_json one{{kind, policy::printable(row.what)}};
        if (row.begin) {
            one["begin_ms"] = *row.begin;
        }
        if (row.end) {
            one["end_ms"] = *row.end;
        }
        if (!row.note.empty()) {
            one["note"] = row.note;
        }
        json.push_back(std::move(one));
    }
    return json;
}

std::string timeline_log(const std::vector<TimelineRow>& rows) {
    std::string text;
    for (const auto& row : rows) {
        const std::string when = number(row.begin) + (row.end ? '-' + number(row.end) : "");
        text += (text.empty() ? "" : "; ") +
                with_note(row, row.what + (when.empty() ? "" : " ") + when);
    }
    return policy::logfmt("timeline_ms", text, longest_log);
}

} // namespace milter
