// A table of text with aligned columns that is never wider than the terminal.
#pragma once

#include "milter/terminal.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace milter {

struct TextColumn {
    enum class Align : std::uint8_t { left, right };
    enum class Fit : std::uint8_t { whole, cut_middle, cut_end };

    std::string heading;
    Align align = Align::left;
    Fit fit = Fit::whole;
    std::size_t least = 0; // columns to which what may be cut is cut down
    bool may_go = false;   // left out where the table would be too wide otherwise, the last first
};

// The usual ones: numbers stand at the right; words stay whole; of a name the middle is cut, of a
// sentence the end.
TextColumn numbers(std::string heading);
TextColumn words(std::string heading);
TextColumn names(std::string heading, std::size_t least);
TextColumn sentences(std::string heading, std::size_t least);
TextColumn if_room(TextColumn column); // may go

class TextTable {
public:
    explicit TextTable(std::vector<TextColumn> columns);

    // As many cells as there are columns; ASCII where they may be cut.
    void add(std::vector<std::string> cells);

    // The headings and the rows, without line ends; each begins after `indent` spaces.
    std::vector<std::string> lines(const Terminal& terminal, std::size_t indent) const;

private:
    std::vector<std::size_t> widths_for(std::size_t columns) const;
    std::string line(const std::vector<std::string>& cells,
                     const std::vector<std::size_t>& widths,
                     const Terminal& terminal) const;

    std::vector<TextColumn> columns_;
    std::vector<std::vector<std::string>> rows_;
};

} // namespace milter
