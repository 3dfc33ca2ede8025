#include "policy/text_lines.hpp"

namespace policy {

namespace {

// A quoted string is kept together up to here. Beyond, it breaks at a space like anything else, so
// that one quote from a stranger does not make a line without end.
constexpr std::size_t longest_quoted = 200;

// The length of the next word with the spaces before it.
std::size_t next_word(std::string_view text) {
    std::size_t at = text.find_first_not_of(' ');
    if (at == std::string_view::npos) {
        return text.size();
    }
    const std::size_t begin = at;
    bool is_quoted = false;
    for (; at < text.size() && (is_quoted || text[at] != ' '); ++at) {
        if (at - begin > longest_quoted) {
            is_quoted = false;
        } else if (text[at] == '\\' && is_quoted) {
            ++at;
        } else if (text[at] == '"') {
            is_quoted = !is_quoted;
        }
    }
    return std::min(at, text.size());
}

} // namespace

std::vector<std::string> wrap(std::string_view text, std::size_t width, std::string_view indent) {
    std::vector<std::string> lines(1);
    bool is_new_line = true;
    while (!text.empty()) {
        std::string_view word = text.substr(0, next_word(text));
        text.remove_prefix(word.size());
        if (!is_new_line && lines.back().size() + word.size() > width) {
            lines.emplace_back(indent);
            word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
        }
        lines.back() += word;
        is_new_line = false;
    }
    return lines;
}

} // namespace policy
