#include "milter/config_store_values.hpp"

#include <string_view>

namespace milter {

namespace {

bool is_absolute(std::string_view path) {
    return path.starts_with('/') && !path.ends_with('/');
}

} // namespace

OrFault<std::string> read_store_url(const TomlScalar& value) {
    constexpr std::string_view sqlite = "sqlite:";
    const std::string allowed = R"("sqlite:" and an absolute path, or "none")";
    return read_string(value, allowed).and_then([&](std::string url) -> OrFault<std::string> {
        const bool is_file = url.starts_with(sqlite) && is_absolute(url.substr(sqlite.size()));
        if (is_file || url == "none") {
            return url;
        }
        return wrong_text(value, allowed);
    });
}

OrFault<store::Addresses> read_addresses(const TomlScalar& value) {
    const std::string allowed = R"("hashed" or "full")";
    return read_string(value, allowed)
        .and_then([&](const std::string& word) -> OrFault<store::Addresses> {
            if (word == "hashed") {
                return store::Addresses::hashed;
            }
            if (word == "full") {
                return store::Addresses::full;
            }
            return wrong_text(value, allowed);
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

} // namespace milter
