#include "milter/case_id.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace milter {

std::string new_case_id() {
    static constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz"; // no i l o u
    static constexpr std::size_t length = 12;
    std::uint64_t bits = 0;
    if (getentropy(&bits, sizeof bits) != 0) {
        throw std::system_error{errno, std::generic_category(), "getentropy"};
    }
    std::string id;
    while (id.size() < length) {
        id += digits[bits % digits.size()];
        bits /= digits.size();
    }
    return id;
}

} // namespace milter
