#include "policy/text_lines.hpp"

#include <algorithm>

namespace policy {

namespace {

// The words of a text one after the other, each with the spaces before it.
class Words {
public:
    explicit Words(std::string_view text) : rest_{text} {}

    bool has_more() const { return !rest_.empty(); }

    std::string_view next() {
        const auto word = rest_.substr(0, size_of_next());
        rest_.remove_prefix(word.size());
        return word;
    }

private:
    std::size_t size_of_next() {
        std::size_t at = rest_.find_first_not_of(' ');
        bool is_quoted = false;
        for (; at < rest_.size() && (is_quoted || rest_[at] != ' '); ++at) {
            const char c = rest_[at];
            if (c == '\\' && (is_quoted || comments_ > 0)) {
                ++at;
            } else if (c == '"' && comments_ == 0) {
                is_quoted = !is_quoted;
            } else if (c == '(' && !is_quoted) {
                ++comments_;
            } else if (c == ')' && !is_quoted && comments_ > 0) {
                --comments_;
            }
        }
        return std::min(at, rest_.size());
    }

    std::string_view rest_;
    std::size_t comments_ = 0; // how deep in comments: there a quote is a character like others
};

} // namespace

void wrap(std::string_view text,
          std::size_t width,
          std::string_view indent,
          const std::function<void(std::string_view)>& take) {
    std::string line;
    line.reserve(width);
    bool is_new_line = true;
    for (Words words{text}; words.has_more();) {
        std::string_view word = words.next();
        if (!is_new_line && line.size() + word.size() > width) {
            take(line);
            line = indent;
            word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
        }
        line += word;
        is_new_line = false;
    }
    take(line);
}

std::vector<std::string> wrap(std::string_view text, std::size_t width, std::string_view indent) {
    std::vector<std::string> lines;
    wrap(text, width, indent, [&](std::string_view line) { lines.emplace_back(line); });
    return lines;
}

} // namespace policy
