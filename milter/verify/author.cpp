#include "milter/verify/author.hpp"

#include "milter/verify/domain.hpp"
#include "policy/ascii.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace verify {

namespace {

constexpr std::string_view field_white_space = " \t";
constexpr std::size_t longest_author_domain = 255;             // RFC 5321 section 4.5.3.1.2
constexpr std::string_view ends_of_atom = "()<>[]:;@\\,\" \t"; // the specials of section 3.2.3

// What is left of the text; nothing where what was to be passed is not well-formed.
using Rest = std::optional<std::string_view>;

bool is_8_bit(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

// --- Octets -----------------------------------------------------------------------------------

// The octets of the UTF-8 character (RFC 3629 section 4) that `text` begins with. 0: it is none.
std::size_t utf8_size(std::string_view text) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = octet(0);
    if (lead < 0x80) {
        return 1;
    }
    const std::size_t size = 2U + (lead >= 0xe0 ? 1U : 0U) + (lead >= 0xf0 ? 1U : 0U);
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size) {
        return 0;
    }
    for (std::size_t i = 1; i < size; ++i) {
        if ((octet(i) & 0xc0U) != 0x80) {
            return 0;
        }
    }
    const unsigned second = octet(1);
    const bool is_overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool is_surrogate = lead == 0xed && second >= 0xa0;
    const bool is_too_high = lead == 0xf4 && second >= 0x90;
    return is_overlong || is_surrogate || is_too_high ? 0 : size;
}

// In other character sets an octet of a character may look like a quote or a backslash.
bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto size = utf8_size(text);
        if (size == 0) {
            return false;
        }
        text.remove_prefix(size);
    }
    return true;
}

// The value on one line (section 2.2.3). Nothing where control characters stand in it.
std::optional<std::string> unfolded(std::string_view value) {
    std::string line;
    while (!value.empty()) {
        value.remove_prefix(value.starts_with("\r\n") ? 1 : 0);
        const char c = value.front();
        value.remove_prefix(1);
        const bool is_fold =
            c == '\n' && field_white_space.find(value.substr(0, 1)) != std::string_view::npos;
        if (is_fold && !value.empty()) {
            continue;
        }
        if (!policy::is_printable(c) && !is_8_bit(c) && c != '\t') {
            return std::nullopt;
        }
        line += c;
    }
    return line;
}

// --- Grammar ----------------------------------------------------------------------------------

// Section 3.2.2: comments nest.
Rest after_comment(std::string_view text) {
    std::size_t depth = 0;
    for (auto i = text.find_first_of("()\\"); i < text.size(); i = text.find_first_of("()\\", i)) {
        switch (text[i++]) {
        case '(': ++depth; break;
        case ')':
            if (--depth == 0) {
                return text.substr(i);
            }
            break;
        default: ++i; // the quoted octet
        }
    }
    return std::nullopt;
}

Rest after_comments_and_spaces(std::string_view text) {
    for (;;) {
        text.remove_prefix(std::min(text.find_first_not_of(field_white_space), text.size()));
        if (!text.starts_with('(')) {
            return text;
        }
        const auto rest = after_comment(text);
        if (!rest) {
            return std::nullopt;
        }
        text = *rest;
    }
}

Rest after_quoted_string(std::string_view text) {
    for (auto i = text.find_first_of("\"\\", 1); i < text.size();
         i = text.find_first_of("\"\\", i + 2)) {
        if (text[i] == '"') {
            return text.substr(i + 1);
        }
    }
    return std::nullopt;
}

// A part of a display name. The dots of section 4.1 (obs-phrase) are atoms here.
Rest after_word(std::string_view text) {
    if (text.starts_with('"')) {
        return after_quoted_string(text);
    }
    const auto size = std::min(text.find_first_of(ends_of_atom), text.size());
    return size == 0 ? std::nullopt : std::optional{text.substr(size)};
}

bool is_end(const Rest& rest) {
    return rest && rest->empty();
}

// `address`, and comments behind it.
std::optional<std::string_view> bare_address(std::string_view text) {
    const auto rest = text.starts_with('"') ? after_quoted_string(text) : text;
    if (!rest) {
        return std::nullopt;
    }
    const auto size =
        text.size() - rest->size() + std::min(rest->find_first_of(" \t(<"), rest->size());
    const bool is_all = is_end(after_comments_and_spaces(text.substr(size)));
    return is_all ? std::optional{text.substr(0, size)} : std::nullopt;
}

// `Name <address>`, and comments behind it.
std::optional<std::string_view> address_in_brackets(std::string_view text) {
    while (!text.starts_with('<')) {
        const auto word_end = after_word(text);
        const auto rest = word_end ? after_comments_and_spaces(*word_end) : std::nullopt;
        if (!rest) {
            return std::nullopt;
        }
        text = *rest;
    }
    const auto end = text.find('>');
    if (end == std::string_view::npos || !is_end(after_comments_and_spaces(text.substr(end + 1)))) {
        return std::nullopt;
    }
    auto address = text.substr(1, end - 1);
    address.remove_prefix(std::min(address.find_first_not_of(field_white_space), address.size()));
    return address.substr(0, address.find_last_not_of(field_white_space) + 1);
}

std::optional<std::string_view> address_in(std::string_view line) {
    const auto text = after_comments_and_spaces(line);
    if (!text) {
        return std::nullopt;
    }
    const auto bare = bare_address(*text);
    return bare ? bare : address_in_brackets(*text);
}

} // namespace

std::string author_domain(std::span<const std::string> from_fields) {
    if (from_fields.size() != 1) {
        return {};
    }
    const auto line = unfolded(from_fields.front());
    const auto address = line && is_utf8(*line) ? address_in(*line) : std::nullopt;
    if (!address || address->starts_with('@')) {
        return {};
    }
    // Some programs decode an encoded word wherever it stands (against RFC 2047 section 5).
    if (address->find("=?") != std::string_view::npos) {
        return {};
    }
    const auto domain = domain_of(*address);
    const bool is_name =
        domain.size() <= longest_author_domain && std::ranges::all_of(domain, policy::is_printable);
    return is_name ? domain : std::string{};
}

} // namespace verify
