#include "tests/bench/load/results.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace bench {

namespace {

constexpr std::string_view blanks = " \t\r\n";

// A value without its comments, in lower case, quoted strings filled with `q`.
class PlainText {
public:
    void take(char c) {
        if (is_escaped_) {
            is_escaped_ = false;
        } else if (c == '\\' && (is_quoted_ || depth_ > 0)) {
            is_escaped_ = true;
        } else if (c == '"' && depth_ == 0) {
            is_quoted_ = !is_quoted_;
        } else if (is_quoted_) {
            text_ += 'q';
        } else {
            take_unquoted(c);
        }
    }

    const std::string& text() const { return text_; }

private:
    void take_unquoted(char c) {
        if (c == '(') {
            ++depth_;
        } else if (c == ')' && depth_ > 0) {
            --depth_;
        } else if (depth_ == 0) {
            text_ += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
    }

    std::string text_;
    std::size_t depth_ = 0;
    bool is_quoted_ = false;
    bool is_escaped_ = false;
};

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

// resinfo, "spf=pass smtp.mailfrom=example.org".
void read_one(std::string_view resinfo, Results& results) {
    const std::size_t equals = resinfo.find('=');
    if (equals == std::string_view::npos) {
        return;
    }
    const std::string_view named = trimmed(resinfo.substr(0, equals));
    const std::string_view method = trimmed(named.substr(0, named.find('/')));
    const std::string_view rest = trimmed(resinfo.substr(equals + 1));
    const std::string_view result = rest.substr(0, rest.find_first_of(blanks));
    const auto* const known = std::ranges::find(method_words, method);
    if (known == method_words.end() || rest.find("smtp.helo=") != std::string_view::npos) {
        return;
    }
    Found& found = results.at(static_cast<std::size_t>(known - method_words.begin()));
    if (result == "pass") {
        found.has_pass = true;
    } else if (found.other.empty()) {
        found.other = result;
    }
}

} // namespace

void read_results(std::string_view value, Results& results) {
    PlainText plain;
    std::ranges::for_each(value, [&](char c) { plain.take(c); });
    std::string_view left{plain.text()};
    // Before the first semicolon stands the authserv-id.
    for (auto end = left.find(';'); end != std::string_view::npos; end = left.find(';')) {
        left.remove_prefix(end + 1);
        read_one(left.substr(0, left.find(';')), results);
    }
}

bool agrees(const Found& found, std::string_view truth) {
    if (truth == "-") {
        return true;
    }
    return truth == "pass" ? found.has_pass : !found.has_pass && found.other == truth;
}

} // namespace bench
