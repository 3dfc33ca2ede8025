#include "milter/config_file.hpp"

#include "milter/toml_values.hpp"
#include "policy/printable.hpp"

#include <array>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace milter {

namespace {

constexpr std::size_t shortest_rollout_key = 16;
constexpr std::size_t longest_rollout_key = 4'096;

} // namespace

bool is_absolute(std::string_view path) {
    return path.starts_with('/') && !path.ends_with('/') &&
           path.find('\0') == std::string_view::npos;
}

tl::expected<std::string, std::string> content_of(const std::string& file, std::size_t most) {
    const auto last_error = [] { return std::generic_category().message(errno); };
    std::ifstream stream{file, std::ios::binary};
    if (!stream) {
        return tl::unexpected{"cannot be opened: " + last_error()};
    }
    std::string content;
    std::array<char, 65'536> part{};
    while (stream && content.size() <= most) {
        stream.read(part.data(), part.size());
        content.append(part.data(), static_cast<std::size_t>(stream.gcount()));
    }
    if (stream.bad()) {
        return tl::unexpected{"cannot be read: " + last_error()};
    }
    if (content.size() > most) {
        return tl::unexpected{"is too large: at most " + std::to_string(most) + " octets"};
    }
    return content;
}

OrFault<std::string> read_named_file(const TomlScalar& value,
                                     const std::string& file,
                                     std::size_t most,
                                     const ReadFile& read_file) {
    return read_file(file, most).map_error([&](const std::string& problem) {
        return Fault{value.place, policy::printable(file, 200) + ' ' + problem};
    });
}

OrFault<std::string> read_path(const TomlScalar& value) {
    const std::string allowed = "the absolute path of a file";
    return read_string(value, allowed).and_then([&](std::string path) -> OrFault<std::string> {
        return is_absolute(path) ? OrFault<std::string>{std::move(path)}
                                 : wrong_text(value, allowed);
    });
}

OrFault<std::string> read_key_file(const TomlScalar& value) {
    constexpr std::string_view file = "file:";
    const std::string allowed = R"("file:" and an absolute path)";
    return read_string(value, allowed)
        .and_then([&](const std::string& text) -> OrFault<std::string> {
            if (text.starts_with(file) && is_absolute(text.substr(file.size()))) {
                return text.substr(file.size());
            }
            return wrong_text(value, allowed);
        });
}

OrFault<std::string> read_rollout_key(const TomlScalar& value, const ReadFile& read_file) {
    auto file = read_key_file(value);
    if (!file) {
        return file;
    }
    auto key = read_named_file(value, *file, longest_rollout_key, read_file);
    if (!key) {
        return key;
    }
    if (key->ends_with('\n')) {
        key->pop_back();
    }
    if (key->size() < shortest_rollout_key) {
        return fault_at(value,
                        "has only " + std::to_string(key->size()) + " octets: a key has at least " +
                            std::to_string(shortest_rollout_key) + " that nobody can guess");
    }
    return key;
}

} // namespace milter
