#include "milter/text_table.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace milter {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t scrap = 4; // what is left of a cell in the narrowest terminal

using Widths = std::vector<std::size_t>; // 0: the column is left out

std::size_t sum_of(const Widths& widths) {
    std::size_t sum = 0;
    for (const std::size_t width : widths) {
        sum += width + (sum > 0 && width > 0 ? gap : 0);
    }
    return sum;
}

// With what may be cut at its least, or at `most` where that is less.
Widths
least_widths(const std::vector<TextColumn>& columns, const Widths& widths, std::size_t most) {
    Widths least = widths;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].fit != TextColumn::Fit::whole) {
            least[i] = std::min({widths[i], columns[i].least, most});
        }
    }
    return least;
}

// Of the last column that may go and has not; empty where there is none.
std::optional<std::size_t> one_to_drop(const std::vector<TextColumn>& columns,
                                       const Widths& widths) {
    for (std::size_t i = columns.size(); i > 0; --i) {
        if (columns[i - 1].may_go && widths[i - 1] > 0) {
            return i - 1;
        }
    }
    return std::nullopt;
}

// Takes columns from the widest that may be cut, until the table fits or nothing more can go.
void shrink(Widths& widths, const Widths& least, std::size_t columns) {
    while (sum_of(widths) > columns) {
        std::size_t widest = widths.size();
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const bool may_shrink = widths[i] > least[i];
            if (may_shrink && (widest == widths.size() || widths[i] > widths[widest])) {
                widest = i;
            }
        }
        if (widest == widths.size()) {
            return;
        }
        --widths[widest];
    }
}

} // namespace

TextColumn numbers(std::string heading) {
    return {.heading = std::move(heading), .align = TextColumn::Align::right};
}

TextColumn words(std::string heading) {
    return {.heading = std::move(heading)};
}

TextColumn names(std::string heading, std::size_t least) {
    return {.heading = std::move(heading), .fit = TextColumn::Fit::cut_middle, .least = least};
}

TextColumn sentences(std::string heading, std::size_t least) {
    return {.heading = std::move(heading), .fit = TextColumn::Fit::cut_end, .least = least};
}

TextColumn if_room(TextColumn column) {
    column.may_go = true;
    return column;
}

TextTable::TextTable(std::vector<TextColumn> columns) : columns_{std::move(columns)} {}

void TextTable::add(std::vector<std::string> cells) {
    cells.resize(columns_.size());
    rows_.push_back(std::move(cells));
}

std::vector<std::size_t> TextTable::widths_for(std::size_t columns) const {
    Widths widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = columns_of(columns_[i].heading);
        for (const auto& row : rows_) {
            width = std::max(width, columns_of(row[i]));
        }
        widths.push_back(width);
    }
    while (sum_of(least_widths(columns_, widths, columns)) > columns) {
        const auto dropped = one_to_drop(columns_, widths);
        if (!dropped) {
            break;
        }
        widths[*dropped] = 0;
    }
    shrink(widths, least_widths(columns_, widths, columns), columns);
    shrink(widths, least_widths(columns_, widths, scrap), columns);
    return widths;
}

std::string TextTable::line(const std::vector<std::string>& cells,
                            const std::vector<std::size_t>& widths,
                            const Terminal& terminal) const {
    std::string out;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (widths[i] == 0) {
            continue;
        }
        const bool is_whole = columns_[i].fit == TextColumn::Fit::whole;
        const Cut where = columns_[i].fit == TextColumn::Fit::cut_middle ? Cut::middle : Cut::end;
        const std::string cell = is_whole ? cells[i] : cut_to(cells[i], widths[i], where, terminal);
        const std::string space(widths[i] - std::min(widths[i], columns_of(cell)), ' ');
        out += out.empty() ? "" : std::string(gap, ' ');
        out += columns_[i].align == TextColumn::Align::right ? space + cell : cell + space;
    }
    return out.substr(0, out.find_last_not_of(' ') + 1);
}

std::vector<std::string> TextTable::lines(const Terminal& terminal, std::size_t indent) const {
    const auto widths = widths_for(terminal.columns - std::min(terminal.columns, indent));
    std::vector<std::string> headings;
    for (const auto& column : columns_) {
        headings.push_back(column.heading);
    }
    const std::string margin(indent, ' ');
    std::vector<std::string> lines{margin + line(headings, widths, terminal)};
    for (const auto& row : rows_) {
        lines.push_back(margin + line(row, widths, terminal));
    }
    return lines;
}

} // namespace milter
