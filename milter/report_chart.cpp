#include "milter/report_chart.hpp"

#include "milter/report_words.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace milter {

namespace {

using Json = nlohmann::ordered_json;

constexpr double height_judged = 132;
constexpr double height_refused = 76;
constexpr double filled_part = 0.76; // of the width that a day has

struct Scale {
    std::uint64_t end = 1;
    double height = 0;

    double length_of(std::uint64_t number) const { return height * share(number, end); }
};

Scale scale_for(const std::vector<policy::DayRow>& days,
                std::uint64_t policy::Counts::*number,
                double height) {
    std::uint64_t most = 1;
    for (const auto& row : days) {
        most = std::max(most, row.counts.*number);
    }
    return {end_of_scale(most), height};
}

Json json_of(const Scale& scale) {
    Json lines = Json::array();
    for (const std::uint64_t part : {2U, 1U}) {
        if (scale.end % part == 0) {
            const double y = scale.height - scale.length_of(scale.end / part);
            lines.push_back({{"y", y}, {"number", scale.end / part}});
        }
    }
    return {{"height", scale.height}, {"lines", lines}};
}

// A column of several parts, one upon the other.
class Stack {
public:
    explicit Stack(const Scale& scale) : scale_{scale}, top_{scale.height} {}

    void add(const char* kind, std::uint64_t number) {
        if (number > 0) {
            const double length = std::max(scale_.length_of(number), 1.0); // what is, shows
            top_ = std::max(top_ - length, 0.0);
            parts_.push_back({{"kind", kind}, {"y", top_}, {"length", length}});
        }
    }

    const Json& parts() const { return parts_; }

private:
    Scale scale_;
    double top_;
    Json parts_ = Json::array();
};

std::string told(const policy::DayRow& row) {
    const policy::Counts& counts = row.counts;
    return date(row.day) + ": " + counted(counts.messages, "message", "messages") + " judged, " +
           grouped(counts.passing) + " pass, " + grouped(counts.refused) + " would be refused, " +
           counted(counts.temporary, "temporary error", "temporary errors");
}

Json column_of(const policy::DayRow& row, const Scale& judged, const Scale& refused) {
    const policy::Counts& counts = row.counts;
    Stack all{judged};
    all.add("passing", counts.passing);
    all.add("exempt", counts.exempt);
    all.add("unknown", counts.unknown);
    all.add("spared", counts.falling_short - counts.refused);
    all.add("temporary", counts.temporary);
    all.add("refused", counts.refused);
    Stack harm{refused};
    harm.add("refused", counts.refused);
    return {{"told", told(row)}, {"judged", all.parts()}, {"refused", harm.parts()}};
}

// The first, the last, and one between them where there is room.
Json labels_of(const std::vector<policy::DayRow>& days) {
    constexpr std::size_t enough = 5;
    const auto label = [&](std::size_t i, const char* anchor, double x) {
        return Json{{"day", short_date(days[i].day)}, {"anchor", anchor}, {"x", x}};
    };
    Json labels = Json::array({label(0, "start", 0)});
    if (days.size() >= enough) {
        const std::size_t middle = days.size() / 2;
        const double x = 100 * (static_cast<double>(middle) + 0.5);
        labels.push_back(label(middle, "middle", x / static_cast<double>(days.size())));
    }
    if (days.size() > 1) {
        labels.push_back(label(days.size() - 1, "end", 100));
    }
    return labels;
}

} // namespace

std::uint64_t end_of_scale(std::uint64_t number) {
    constexpr std::uint64_t most = 1'000'000'000'000'000'000;
    std::uint64_t ten = 1;
    while (ten < most) {
        for (const std::uint64_t step : {1U, 2U, 4U, 6U, 8U}) {
            if (number <= step * ten) {
                return step * ten;
            }
        }
        ten *= 10;
    }
    return std::max(number, most);
}

Json chart_of(const ShownDays& shown) {
    const Scale judged = scale_for(shown.days, &policy::Counts::messages, height_judged);
    const Scale refused = scale_for(shown.days, &policy::Counts::refused, height_refused);
    const double slot = 100.0 / static_cast<double>(shown.days.size());
    Json columns = Json::array();
    for (std::size_t i = 0; i < shown.days.size(); ++i) {
        Json column = column_of(shown.days[i], judged, refused);
        column["x"] = (static_cast<double>(i) + (1 - filled_part) / 2) * slot;
        column["slot_x"] = static_cast<double>(i) * slot;
        columns.push_back(column);
    }
    return {{"columns", columns},
            {"width", filled_part * slot},
            {"slot", slot},
            {"labels", labels_of(shown.days)},
            {"judged", json_of(judged)},
            {"refused", json_of(refused)}};
}

} // namespace milter
