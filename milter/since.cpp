#include "milter/since.hpp"

#include "policy/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace milter {

namespace {

using std::chrono::milliseconds;

struct Unit {
    char letter;
    milliseconds length;
};

constexpr auto units = std::to_array<Unit>({
    {'s', std::chrono::seconds{1}},
    {'m', std::chrono::minutes{1}},
    {'h', std::chrono::hours{1}},
    {'d', std::chrono::days{1}},
    {'w', std::chrono::weeks{1}},
});

// All of `text`, decimal and without a sign; at most 5 digits.
std::optional<int> number_in(std::string_view text) {
    if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, policy::is_digit)) {
        return std::nullopt;
    }
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::optional<policy::Time> date_in(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
        return std::nullopt;
    }
    const auto year = number_in(text.substr(0, 4));
    const auto month = number_in(text.substr(5, 2));
    const auto day = number_in(text.substr(8, 2));
    if (!year || !month || !day) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    return date.ok() ? std::optional{policy::Time{std::chrono::sys_days{date}}} : std::nullopt;
}

// "T08:00", "T08:00Z", "T08:00:00" or "T08:00:00Z"
std::optional<milliseconds> time_of_day_in(std::string_view text) {
    if (text.ends_with('Z')) {
        text.remove_suffix(1);
    }
    const std::string whole = std::string{text} + (text.size() == 6 ? ":00" : "");
    if (whole.size() != 9 || whole[0] != 'T' || whole[3] != ':' || whole[6] != ':') {
        return std::nullopt;
    }
    const std::string_view digits{whole};
    const auto hour = number_in(digits.substr(1, 2));
    const auto minute = number_in(digits.substr(4, 2));
    const auto second = number_in(digits.substr(7, 2));
    if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) {
        return std::nullopt;
    }
    return std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
           std::chrono::seconds{*second};
}

// "Z" is none, "+01:00" east of Greenwich. "-00:00" is RFC 3339's "UTC, wherever it was".
std::optional<milliseconds> offset_in(std::string_view text) {
    if (text == "Z") {
        return milliseconds{0};
    }
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') {
        return std::nullopt;
    }
    const auto hours = number_in(text.substr(1, 2));
    const auto minutes = number_in(text.substr(4, 2));
    if (!hours || !minutes || *hours > 23 || *minutes > 59) {
        return std::nullopt;
    }
    const milliseconds offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
    return text[0] == '+' ? offset : -offset;
}

} // namespace

std::optional<policy::Time> parse_time(std::string_view text) {
    const auto zone = text.find_first_of("Z+-", std::min<std::size_t>(text.size(), 10));
    if (zone == std::string_view::npos) {
        return std::nullopt;
    }
    const auto day = date_in(text.substr(0, 10));
    const auto time_of_day = time_of_day_in(text.substr(10, zone - 10));
    const auto offset = offset_in(text.substr(zone));
    return day && time_of_day && offset ? std::optional{*day + *time_of_day - *offset}
                                        : std::nullopt;
}

std::optional<milliseconds> parse_length(std::string_view text) {
    if (text.empty()) {
        return std::nullopt;
    }
    const auto* const unit = std::ranges::find(units, text.back(), &Unit::letter);
    const auto number = number_in(text.substr(0, text.size() - 1));
    if (unit == units.end() || !number) {
        return std::nullopt;
    }
    return *number * unit->length;
}

std::optional<policy::Time> parse_since(std::string_view text, policy::Time now) {
    if (const auto length = parse_length(text)) {
        return now - *length;
    }
    const auto day = date_in(text.substr(0, 10));
    if (!day || text.size() == 10) {
        return day;
    }
    const auto time_of_day = time_of_day_in(text.substr(10));
    return time_of_day ? std::optional{*day + *time_of_day} : std::nullopt;
}

policy::Time now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

std::string to_string(policy::Time time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                       static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()),
                       clock.hours().count(),
                       clock.minutes().count(),
                       clock.seconds().count());
}

} // namespace milter
