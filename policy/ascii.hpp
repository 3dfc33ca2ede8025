// Letters and digits of ASCII, whatever the locale says.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace policy {

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr bool is_alpha(char c) {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}

constexpr bool is_alphanumeric(char c) {
    return is_alpha(c) || is_digit(c);
}

constexpr bool is_printable(char c) {
    return c >= 0x20 && c < 0x7f;
}

inline std::string to_lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) { return to_lower(c); });
    return out;
}

// Compares without case, as domain names and field names do.
constexpr bool same_name(std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, {}, [](char c) { return to_lower(c); }, [](char c) { return to_lower(c); });
}

// Of a domain name.
constexpr std::string_view without_final_dot(std::string_view name) {
    return name.substr(0, name.size() - (name.ends_with('.') ? 1 : 0));
}

// RFC 5322 section 4.5.8 lets white space stand before the colon. MTAs take it away, mostly.
constexpr std::string_view field_name(std::string_view name) {
    return name.substr(0, name.find_last_not_of(" \t") + 1);
}

} // namespace policy
