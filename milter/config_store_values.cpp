#include "milter/config_store_values.hpp"

#include "milter/config_file.hpp"

#include <string_view>

namespace milter {

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

} // namespace milter
