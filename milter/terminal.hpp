// What a command prints to: a terminal, or a file or pipe, and what fits there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace milter {

struct Terminal {
    std::size_t columns = 80;
    bool is_terminal = false; // else plain text without any control character
    bool is_utf8 = false;     // else ASCII alone
};

// Of a file descriptor. The width is the terminal's own, or else $COLUMNS says it, or it is 80; it
// is never under 40.
// What is no terminal is never UTF-8: whoever reads a pipe is better off with plain characters.
Terminal terminal_at(int descriptor);

std::string bold(std::string_view text, const Terminal& terminal);

// How many columns UTF-8 text takes, of characters that take one each.
std::size_t columns_of(std::string_view text);

enum class Cut : std::uint8_t { middle, end };

// ASCII text that takes at most `columns` columns, with an ellipsis where something is left out.
std::string cut_to(std::string_view text, std::size_t columns, Cut where, const Terminal& terminal);

// A bar of `columns` columns where `share` is 1, and none where it is 0; a share above 0 always
// shows.
std::string bar(double share, std::size_t columns, const Terminal& terminal);

} // namespace milter
