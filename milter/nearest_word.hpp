// What somebody may have meant who wrote a word that does not exist.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace milter {

// The word at most two insertions, deletions or replacements away; the first of the nearest.
std::optional<std::string_view> nearest_word(std::string_view word,
                                             std::span<const std::string_view> words);

} // namespace milter
