#include "milter/setup.hpp"

#include "milter/commands.hpp"
#include "milter/verify/cares_channel.hpp"
#include "milter/verify/cares_resolver.hpp"
#include "milter/verify/public_key_cache.hpp"
#include "policy/journal.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <utility>

namespace milter {

tl::expected<Config, ConfigError> load_named_or_default(const std::string& file) {
    if (!file.empty()) {
        return load_config(file);
    }
    std::error_code ignored;
    if (std::filesystem::exists(default_config_file, ignored)) {
        return load_config(default_config_file);
    }
    return parse_config("", "the defaults"); // with the warnings that go with them
}

std::optional<Config> load_or_tell(const std::string& file) {
    auto config = load_named_or_default(file);
    if (!config) {
        std::fprintf(stderr, "sixgate: %s\n", to_string(config.error()).c_str());
        return std::nullopt;
    }
    return std::move(*config);
}

std::shared_ptr<const Setup> make_setup(Config config, const Setup* previous) {
    config = with_name_servers(std::move(config));
    const bool is_same = previous != nullptr && previous->config.dns == config.dns;
    auto resolver =
        is_same ? previous->resolver : std::make_shared<verify::CaresResolver>(config.dns);
    return std::make_shared<const Setup>(Setup{std::move(config), std::move(resolver)});
}

Config with_name_servers(Config config) {
    if (!config.dns.servers.empty()) {
        return config;
    }
    for (const auto& server : verify::servers_of_system()) {
        config.dns.servers.push_back(server.to_string());
        if (!server.address.is_loopback()) {
            config.warnings.push_back(
                "resolv.conf: the name server " + server.to_string() +
                " is not on this host: whoever is on the way to it can forge its answers");
        }
    }
    return config;
}

void apply_to_process(const Config& config, Log& log) {
    log.set_level(config.milter.log_level);
    verify::set_public_key_cache(config.dkim.cached_keys);
    for (const auto& warning : config.warnings) {
        log.write(LogLevel::warning, "event=config_warning" + policy::logfmt("warning", warning));
    }
}

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
        return "localhost";
    }
    return name.data();
}

} // namespace milter
