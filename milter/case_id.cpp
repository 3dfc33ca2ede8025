#include "milter/case_id.hpp"

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

namespace milter {

std::string new_case_id() {
    static constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz"; // no i l o u
    static constexpr std::size_t length = 12;
    std::uint64_t bits = 0;
    if (getentropy(&bits, sizeof bits) != 0) { // a kernel without it: the slow way
        std::random_device entropy;
        bits = (std::uint64_t{entropy()} << 32U) | entropy();
    }
    std::string id;
    while (id.size() < length) {
        id += digits[bits % digits.size()];
        bits /= digits.size();
    }
    return id;
}

} // namespace milter
