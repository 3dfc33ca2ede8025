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

TomlScalar scalar_of(const toml::node& node) {
    TomlScalar scalar{place_of(node.source().begin), kind_of(node.type()), {}};
    if (const auto* const text = node.as_string()) {
        scalar.content = text->get();
    } else if (const auto* const number = node.as_integer()) {
        scalar.content = number->get();
    } else if (const auto* const boolean = node.as_boolean()) {
        scalar.content = boolean->get();
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

std::vector<TomlEntry> entries_of(const toml::table& root) {
    struct Section {
        std::vector<std::string> path;
        const toml::table* table;
    };

    std::vector<TomlEntry> entries;
    std::vector<Section> pending{{{}, &root}};
    while (!pending.empty()) {
        const Section section = std::move(pending.back());
        pending.pop_back();
        for (const auto& [key, node] : *section.table) {
            auto path = section.path;
            path.emplace_back(key.str());
            if (const auto* const table = node.as_table()) {
                pending.push_back({path, table});
            }
            entries.push_back({std::move(path), place_of(key.source().begin), value_of(node)});
        }
    }
    return entries;
}

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

bool is_bare(std::string_view part) {
    constexpr std::string_view bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-_";
    return !part.empty() && part.find_first_not_of(bare) == std::string_view::npos;
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
    }
    return key;
}

OrFault<std::vector<TomlEntry>> read_toml(std::string_view text) {
    if (const auto fault = fault_in_lines(text)) {
        return tl::unexpected{*fault};
    }
    try {
        auto entries = entries_of(toml::parse(text));
        std::ranges::stable_sort(entries, is_before);
        return entries;
    } catch (const toml::parse_error& error) { // the library's only way to say it
        return tl::unexpected{fault_from(error)};
    }
}

} // namespace milter
