#include "milter/config_letter.hpp"

#include "milter/config_file.hpp"
#include "milter/letter_text.hpp"
#include "policy/printable.hpp"

#include <cstddef>

namespace milter {

namespace {

constexpr std::size_t largest_letter = 65'536;

} // namespace

tl::expected<std::string, std::string> letter_in(const std::string& file) {
    const std::string name = policy::printable(file, 200);
    auto letter = content_of(file, largest_letter);
    if (!letter) {
        return tl::unexpected{name + ' ' + letter.error()};
    }
    if (const auto fault = fault_in_letter(*letter)) {
        return tl::unexpected{name + ':' + std::to_string(fault->line) + ": " + fault->message};
    }
    return letter;
}

} // namespace milter
