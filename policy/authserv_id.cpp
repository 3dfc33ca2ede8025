// Whose Authentication-Results is this? The beginning of a field from outside, parsed.
#include "policy/ascii.hpp"
#include "policy/authentication_results.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace policy {

namespace {

// RFC 8601 section 2.2:  authres-payload = [CFWS] authserv-id [ CFWS version ] ( no-result / ...
// Comments nest and are skipped by counting, so no depth of them exhausts the stack.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_{text} {}

    bool is_at_end() const { return at_ == text_.size(); }

    char next() const { return is_at_end() ? '\0' : text_[at_]; }

    // Skips CFWS (RFC 5322 section 3.2.2). False where a comment does not end.
    bool skip_cfws() {
        int depth = 0;
        for (; !is_at_end(); ++at_) {
            const char c = next();
            if (c == '(') {
                ++depth;
            } else if (depth == 0 && !is_space(c)) {
                return true;
            } else if (c == ')') {
                --depth;
            } else if (c == '\\') {
                ++at_; // a quoted-pair: the next octet means nothing
                if (is_at_end()) {
                    return false;
                }
            }
        }
        return depth == 0;
    }

    // RFC 2045 `value`: a token or a quoted string, without its quotes.
    std::optional<std::string> value() { return next() == '"' ? quoted_string() : token(); }

    std::optional<std::string> token() {
        const std::size_t begin = at_;
        while (!is_at_end() && is_token_character(next())) {
            ++at_;
        }
        return at_ == begin ? std::nullopt
                            : std::optional{std::string{text_.substr(begin, at_ - begin)}};
    }

private:
    static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

    static bool is_token_character(char c) {
        static constexpr std::string_view specials = "()<>@,;:\\\"/[]?=";
        return is_printable(c) && c != ' ' && specials.find(c) == std::string_view::npos;
    }

    std::optional<std::string> quoted_string() {
        std::string content;
        for (++at_; !is_at_end(); ++at_) {
            if (next() == '"') {
                ++at_;
                return content;
            }
            if (next() == '\\' && at_ + 1 < text_.size()) {
                ++at_;
            }
            content += next();
        }
        return std::nullopt;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// The authserv-id of a field, or nothing where the field is not what RFC 8601 says it is.
std::optional<std::string> authserv_id_of(std::string_view field_value) {
    Scanner scanner{field_value};
    if (!scanner.skip_cfws()) {
        return std::nullopt;
    }
    auto id = scanner.value();
    // White space in a quoted id is nothing an honest host writes, and readers may drop it.
    if (!id || id->find_first_of(" \t\r\n") != std::string::npos || !scanner.skip_cfws()) {
        return std::nullopt;
    }
    if (is_digit(scanner.next())) {
        const auto version = scanner.token();
        if (!std::ranges::all_of(*version, is_digit) || !scanner.skip_cfws()) {
            return std::nullopt;
        }
    }
    const bool is_ended = scanner.is_at_end() || scanner.next() == ';';
    return is_ended ? id : std::nullopt;
}

} // namespace

bool claims_authserv_id(std::string_view field_value, std::string_view authserv_id) {
    const auto claimed = authserv_id_of(field_value);
    return !claimed || same_name(without_final_dot(*claimed), without_final_dot(authserv_id));
}

} // namespace policy
