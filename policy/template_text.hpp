// Text with names in braces, for which values are filled in: "[{client}] has no PTR record". A
// brace of the text itself is written {{ or }}.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace policy {

// One piece of it: words to print as they are, or a placeholder's name.
struct Piece {
    enum class Kind : std::uint8_t { words, placeholder, fault };
    Kind kind;
    std::string_view text;
};

// The piece at the beginning of `text`, which is not empty; `text` is shortened by it.
Piece take_piece(std::string_view& text);

// What is wrong with `text`: a brace that stands alone, or a name that is not known. Empty:
// nothing.
std::optional<std::string>
fault_in_braces(std::string_view text, const std::function<bool(std::string_view name)>& is_known);

// `text`, in which nothing is wrong, with the values of its names.
std::string filled_in(std::string_view text,
                      const std::function<std::string(std::string_view name)>& value_of);

} // namespace policy
