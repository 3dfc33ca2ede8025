// Text that is composed for a terminal: no line of it is wider.
#pragma once

#include "milter/terminal.hpp"
#include "milter/text_table.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace milter {

constexpr std::size_t margin = 2; // of paragraphs and tables, in columns

class Page {
public:
    explicit Page(const Terminal& terminal) : terminal_{terminal} {}

    const Terminal& terminal() const { return terminal_; }

    // A blank line before it, unless it is the first.
    void heading(std::string_view text);

    // Broken at its spaces, and where a word is too long by itself, anywhere.
    void paragraph(std::string_view text, std::size_t indent = 0);

    // Its headings and rows.
    void table(const TextTable& table);

    void blank() { text_ += '\n'; }

    const std::string& text() const { return text_; }

private:
    Terminal terminal_;
    std::string text_;
};

} // namespace milter
