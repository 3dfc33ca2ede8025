// Enumerators and their words, as a table that reads both ways.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace policy {

template <typename Enum>
struct Word {
    Enum value;
    std::string_view word;
};

// The word for `value`, which the table must hold.
template <typename Enum, std::size_t size>
constexpr std::string_view word_for(const std::array<Word<Enum>, size>& table, Enum value) {
    return std::ranges::find(table, value, &Word<Enum>::value)->word;
}

template <typename Enum, std::size_t size>
constexpr std::optional<Enum> value_of(const std::array<Word<Enum>, size>& table,
                                       std::string_view word) {
    const auto* const row = std::ranges::find(table, word, &Word<Enum>::word);
    return row == table.end() ? std::nullopt : std::optional{row->value};
}

} // namespace policy
