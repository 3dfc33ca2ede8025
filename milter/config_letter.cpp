#include "milter/config_letter.hpp"

#include "milter/letter_text.hpp"
#include "policy/printable.hpp"

#include <cstddef>
#include <utility>

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

OrFault<std::string> read_letter_template(const TomlScalar& value, const ReadFile& read_file) {
    auto file = read_path(value);
    if (!file) {
        return file;
    }
    auto letter = read_named_file(value, *file, largest_letter, read_file);
    if (!letter) {
        return letter;
    }
    if (auto fault = fault_in_letter(*letter)) {
        return tl::unexpected{Fault{{fault->line, 1}, std::move(fault->message), *file}};
    }
    return letter;
}

} // namespace milter
