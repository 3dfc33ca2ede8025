// The kinds of value that TOML has, each read or refused with a fault that says what is allowed.
#pragma once

#include "milter/toml_document.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace milter {

inline constexpr std::string_view digits = "0123456789";
inline constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

constexpr bool is_all_of(std::string_view text, std::string_view allowed) {
    return text.find_first_not_of(allowed) == std::string_view::npos;
}

// "a, b or c"
std::string alternatives(const std::vector<std::string>& words);

tl::unexpected<Fault> fault_at(const TomlScalar& value, std::string message);
// "must be `allowed`, not ...": for a value of another kind, and for a string that says no such
// thing.
tl::unexpected<Fault> wrong_kind(const TomlScalar& value, const std::string& allowed);
tl::unexpected<Fault> wrong_text(const TomlScalar& value, const std::string& allowed);

// Whether it is a table, and none of an array.
OrFault<void> read_table(const TomlEntry& entry);
OrFault<bool> read_bool(const TomlScalar& value);
OrFault<std::int64_t> read_number(const TomlScalar& value, std::int64_t least, std::int64_t most);
OrFault<std::string> read_string(const TomlScalar& value, const std::string& allowed);

// An array of which `read` takes each item. The first fault is the answer.
template <typename Reader>
auto read_array(const TomlValue& value, const std::string& allowed, Reader read) {
    using Item = typename decltype(read(value))::value_type;
    using Items = OrFault<std::vector<Item>>;
    if (!value.items) {
        return Items{wrong_kind(value, allowed)};
    }
    std::vector<Item> items;
    for (const auto& element : *value.items) {
        auto item = read(element);
        if (!item) {
            return Items{tl::unexpected{std::move(item.error())}};
        }
        items.push_back(std::move(*item));
    }
    return Items{std::move(items)};
}

} // namespace milter
