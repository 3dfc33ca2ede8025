#include "milter/toml_document.hpp"

#include "policy/ascii.hpp"
#include "policy/printable.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace milter {

namespace {

// The library nests a table for each dot of a key and frees them by recursion, so that one long
// line could exhaust the stack.
constexpr std::size_t longest_line = 16'384;

constexpr std::string_view kind_local_time = "one without an offset";

Place place_of(const toml::source_position& position) {
    return {position.line, position.column};
}

std::string_view kind_of(toml::node_type type) {
    switch (type) {
    case toml::node_type::none: break;
    case toml::node_type::table: return kind_table;
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::date: return "a date";
    case toml::node_type::time: return "a time of day";
    case toml::node_type::date_time: return "a date and time";
    }
    return "nothing";
}

std::optional<Moment> moment_of(const toml::date_time& value) {
    if (!value.offset) {
        return std::nullopt;
    }
    const std::chrono::year_month_day day{std::chrono::year{value.date.year},
                                          std::chrono::month{value.date.month},
                                          std::chrono::day{value.date.day}};
    const auto& time = value.time;
    return std::chrono::sys_days{day} + std::chrono::hours{time.hour} +
           std::chrono::minutes{time.minute} + std::chrono::seconds{time.second} +
           std::chrono::milliseconds{time.nanosecond / 1'000'000} -
           std::chrono::minutes{value.offset->minutes};
}

TomlScalar scalar_of(const toml::node& node) {
    TomlScalar scalar{place_of(node.source().begin), kind_of(node.type()), {}};
    if (const auto* const text = node.as_string()) {
        scalar.content = text->get();
    } else if (const auto* const number = node.as_integer()) {
        scalar.content = number->get();
    } else if (const auto* const boolean = node.as_boolean()) {
        scalar.content = boolean->get();
    } else if (const auto* const fraction = node.as_floating_point()) {
        scalar.content = fraction->get();
    } else if (const auto* const time = node.as_date_time()) {
        if (const auto moment = moment_of(time->get())) {
            scalar.content = *moment;
        } else {
            scalar.kind = kind_local_time;
        }
    }
    return scalar;
}

TomlValue value_of(const toml::node& node) {
    TomlValue value{scalar_of(node), std::nullopt};
    if (const auto* const array = node.as_array()) {
        std::vector<TomlScalar> items;
        for (const auto& item : *array) {
            items.push_back(scalar_of(item));
        }
        value.items = std::move(items);
    }
    return value;
}

bool is_bare(std::string_view part) {
    constexpr std::string_view bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-_";
    return !part.empty() && part.find_first_not_of(bare) == std::string_view::npos;
}

TomlElement element_of(const toml::table& table, std::size_t number) {
    const auto name = table["name"].value_or(std::string{});
    return {number, is_bare(name) ? name : ""};
}

// The library nests its tables; this goes through them without recursion.
class Walk {
public:
    explicit Walk(const toml::table& root) : pending_{{{}, {}, &root}} {}

    std::vector<TomlEntry> entries() && {
        while (!pending_.empty()) {
            const Section section = std::move(pending_.back());
            pending_.pop_back();
            for (const auto& [key, node] : *section.table) {
                add(section, key, node);
            }
        }
        return std::move(entries_);
    }

private:
    struct Section {
        std::vector<std::string> path;
        TomlElement element;
        const toml::table* table;
    };

    void add(const Section& section, const toml::key& key, const toml::node& node) {
        auto path = section.path;
        path.emplace_back(key.str());
        const auto* const array = node.as_array();
        if (path.size() == 1 && array != nullptr && array->is_array_of_tables()) {
            add_elements(path, *array);
            return;
        }
        if (const auto* const table = node.as_table()) {
            pending_.push_back({path, section.element, table});
        }
        entries_.push_back(
            {std::move(path), section.element, place_of(key.source().begin), value_of(node)});
    }

    void add_elements(const std::vector<std::string>& path, const toml::array& array) {
        std::size_t number = 0;
        for (const auto& node : array) {
            const auto& table = *node.as_table();
            const auto element = element_of(table, ++number);
            pending_.push_back({path, element, &table});
            entries_.push_back({path, element, place_of(node.source().begin), value_of(node)});
        }
    }

    std::vector<Section> pending_;
    std::vector<TomlEntry> entries_;
};

bool is_before(const TomlEntry& a, const TomlEntry& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
}

std::optional<Fault> fault_in_lines(std::string_view text) {
    for (std::uint32_t line = 1; !text.empty(); ++line) {
        const auto length = std::min(text.find('\n'), text.size());
        if (length > longest_line) {
            return Fault{{line, 1},
                         "the line is too long: at most " + std::to_string(longest_line) +
                             " octets; an array may go over several lines"};
        }
        text.remove_prefix(std::min(length + 1, text.size()));
    }
    return std::nullopt;
}

// The library escapes what it quotes, but for letters beyond ASCII.
Fault fault_from(const toml::parse_error& error) {
    std::string message{error.description()};
    std::ranges::replace_if(
        message, [](char c) { return !policy::is_printable(c); }, '?');
    return {place_of(error.source().begin), std::move(message)};
}

} // namespace

std::string TomlEntry::key() const {
    std::string key;
    for (const auto& part : path) {
        key += key.empty() ? "" : ".";
        key +=
            is_bare(part) ? policy::printable(part, 60) : '"' + policy::printable(part, 60) + '"';
        if (&part == &path.front() && element.number > 0) {
            const auto& name = element.name;
            key += '[' +
                   policy::printable(name.empty() ? std::to_string(element.number) : name, 60) +
                   ']';
        }
    }
    return key;
}

OrFault<std::vector<TomlEntry>> read_toml(std::string_view text) {
    if (const auto fault = fault_in_lines(text)) {
        return tl::unexpected{*fault};
    }
    try {
        const auto root = toml::parse(text);
        auto entries = Walk{root}.entries();
        std::ranges::stable_sort(entries, is_before);
        return entries;
    } catch (const toml::parse_error& error) { // the library's only way to say it
        return tl::unexpected{fault_from(error)};
    }
}

} // namespace milter
