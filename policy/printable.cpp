#include "policy/printable.hpp"

#include "policy/ascii.hpp"

#include <algorithm>

namespace policy {

std::string printable(std::string_view text, std::size_t limit) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(std::min(text.size(), limit));
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        const bool is_plain = is_printable(c) && c != '\\';
        if (out.size() + (is_plain ? 1 : 4) > limit) {
            return out + "...";
        }
        if (is_plain) {
            out += c;
        } else {
            out += {'\\', 'x', digits[octet >> 4U], digits[octet & 0xfU]};
        }
    }
    return out;
}

} // namespace policy
