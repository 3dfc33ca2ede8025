#include "milter/terminal.hpp"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <optional>

namespace milter {

namespace {

constexpr std::size_t usual_columns = 80;
constexpr std::size_t fewest_columns = 40;
constexpr std::size_t most_columns = 500;

std::size_t sensible(std::size_t columns) {
    return std::clamp(columns, fewest_columns, most_columns);
}

std::optional<std::size_t> columns_of_environment() {
    const char* const text = std::getenv("COLUMNS"); // NOLINT(concurrency-mt-unsafe): one thread
    std::size_t columns = 0;
    if (text == nullptr) {
        return std::nullopt;
    }
    const std::string_view digits{text};
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), columns);
    const bool is_number = error == std::errc{} && end == digits.data() + digits.size();
    return is_number && columns > 0 ? std::optional{columns} : std::nullopt;
}

// Of the user's locale, which the program does not adopt: numbers keep their form.
bool is_utf8_locale() {
    const locale_t locale = newlocale(LC_CTYPE_MASK, "", nullptr);
    if (locale == nullptr) {
        return false;
    }
    const std::string codeset = nl_langinfo_l(CODESET, locale);
    freelocale(locale);
    return codeset == "UTF-8";
}

} // namespace

Terminal terminal_at(int descriptor) {
    Terminal terminal;
    terminal.is_terminal = isatty(descriptor) == 1;
    terminal.is_utf8 = terminal.is_terminal && is_utf8_locale();
    winsize size{};
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        terminal.columns = sensible(size.ws_col);
    } else {
        terminal.columns = sensible(columns_of_environment().value_or(usual_columns));
    }
    return terminal;
}

std::string bold(std::string_view text, const Terminal& terminal) {
    return terminal.is_terminal ? "\033[1m" + std::string{text} + "\033[0m" : std::string{text};
}

std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }));
}

std::string
cut_to(std::string_view text, std::size_t columns, Cut where, const Terminal& terminal) {
    if (text.size() <= columns) {
        return std::string{text};
    }
    const std::string_view ellipsis = terminal.is_utf8 ? "…" : "...";
    const std::size_t room = columns - std::min(columns, columns_of(ellipsis));
    if (room == 0) {
        return std::string{text.substr(0, columns)};
    }
    const std::size_t tail = where == Cut::middle ? room / 2 : 0;
    std::string out{text.substr(0, room - tail)};
    out += ellipsis;
    return out += text.substr(text.size() - tail);
}

std::string bar(double share, std::size_t columns, const Terminal& terminal) {
    static constexpr auto eighths =
        std::to_array<std::string_view>({"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"});
    const std::size_t steps = terminal.is_utf8 ? 8 : 1; // of a column
    const double exact = std::clamp(share, 0.0, 1.0) * static_cast<double>(columns * steps);
    auto length = static_cast<std::size_t>(std::lround(exact));
    if (share > 0 && length == 0) {
        length = 1;
    }
    std::string out;
    if (!terminal.is_utf8) {
        out.append(length, '#');
        return out;
    }
    for (std::size_t i = 0; i < length / steps; ++i) {
        out += "█";
    }
    return out += eighths.at(length % steps);
}

} // namespace milter
