#include "milter/page.hpp"

#include "policy/text_lines.hpp"

#include <algorithm>

namespace milter {

namespace {

// The piece of a word that fits, up to a dot where there is one: names are long.
std::size_t piece_of(std::string_view word, std::size_t room) {
    if (word.size() <= room) {
        return word.size();
    }
    const auto dot = word.substr(0, room).rfind('.');
    return dot == std::string_view::npos || dot < room / 2 ? room : dot + 1;
}

} // namespace

void Page::heading(std::string_view text) {
    if (!text_.empty()) {
        blank();
    }
    for (const auto& line : policy::wrap(text, terminal_.columns, "")) {
        text_ += bold(cut_to(line, terminal_.columns, Cut::end, terminal_), terminal_) + '\n';
    }
}

void Page::paragraph(std::string_view text, std::size_t indent) {
    const std::size_t room = terminal_.columns - std::min(terminal_.columns - 1, indent);
    for (const auto& line : policy::wrap(text, room, "")) {
        for (std::string_view rest{line}; !rest.empty();) {
            const std::size_t piece = piece_of(rest, room);
            text_ += std::string(indent, ' ') + std::string{rest.substr(0, piece)} + '\n';
            rest.remove_prefix(piece);
        }
    }
}

void Page::table(const TextTable& table) {
    for (const auto& line : table.lines(terminal_, margin)) {
        text_ += line + '\n';
    }
}

} // namespace milter
