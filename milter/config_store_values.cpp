#include "milter/config_store_values.hpp"

#include "milter/config_file.hpp"
#include "milter/store/redis_url.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace milter {

OrFault<std::string> read_store_url(const TomlScalar& value) {
    constexpr std::string_view sqlite = "sqlite:";
    const std::string allowed =
        R"("sqlite:" and an absolute path, "redis://[USER@]HOST[:PORT][/DB]", )"
        R"("rediss://" and the same, "unix://[USER@]/PATH[?db=DB]", or "none")";
    return read_string(value, allowed).and_then([&](std::string url) -> OrFault<std::string> {
        if (store::has_password(url)) {
            return fault_at(value, "has a password: it belongs in the file store.password_file");
        }
        const bool is_file = url.starts_with(sqlite) && is_absolute(url.substr(sqlite.size()));
        if (is_file || store::parse_redis_url(url) || url == "none") {
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

std::optional<StoreProblem> problem_in(const Config& config, std::span<const TomlEntry> entries) {
    const store::StoreSettings& settings = config.store;
    const auto problem = [&](std::string_view key,
                             std::string message) -> std::optional<StoreProblem> {
        const auto entry = std::ranges::find(entries, key, &TomlEntry::key);
        return entry == entries.end() ? std::nullopt
                                      : std::optional<StoreProblem>{{*entry, std::move(message)}};
    };
    const auto server = store::parse_redis_url(settings.url);
    if (!server && !settings.password_file.empty()) {
        return problem("store.password_file", "is for a store that is a server: see store.url");
    }
    if ((!server || !server->is_tls) && !settings.ca_file.empty()) {
        return problem("store.ca_file", "is for a store with TLS, rediss://: see store.url");
    }
    if (server && !server->user.empty() && settings.password_file.empty()) {
        return problem("store.url", "names a user: store.password_file must name its password");
    }
    if (server && settings.addresses == store::Addresses::hashed && settings.key_file.empty()) {
        return problem("store.url",
                       "is a server: store.key must name the key of the hashed addresses, the same "
                       "on all hosts");
    }
    if (server && config.fallback_window && settings.key_file.empty()) {
        return problem("fallback.window",
                       "tells messages by a keyed hash, and the store is a server: store.key must "
                       "name the key, the same on all hosts");
    }
    return std::nullopt;
}

} // namespace milter
