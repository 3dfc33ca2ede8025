// The configuration, read from TOML. Every value has a default that is safe; without a file all
// mail is observed and none refused. sixgate.toml(5) documents every key.
#pragma once

#include "milter/config_file.hpp"
#include "milter/log.hpp"
#include "milter/store/settings.hpp"
#include "milter/verify/cares_resolver.hpp"
#include "policy/rules.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace milter {

struct Config {
    struct Milter {
        std::string socket = "unix:/run/sixgate/sixgate.sock";
        std::uint32_t socket_mode = 0660;
        LogLevel log_level = LogLevel::info;
        std::string authserv_id; // empty: fields carry the host's name, and none is removed
    } milter;

    verify::DnsSettings dns;

    struct Dkim {
        std::uint64_t cached_keys = 1'000; // RSA keys, decoded; 0: none is kept
    } dkim;

    struct Letter {
        std::string site;          // what letters call us; empty: authserv_id, or the host's name
        std::string template_file; // letter_in() reads it; empty: the template is ours
    } letter;

    store::StoreSettings store;
    // How long what follows a soft refusal is watched for; empty: nothing is.
    std::optional<std::chrono::milliseconds> fallback_window;
    policy::Policy policy;
    std::string rollout_key; // places senders for `percent`; empty: no stage has one
    std::chrono::milliseconds deadline{20'000}; // for the evidence, from the end of the message

    std::vector<std::string> warnings; // each names its place; the configuration stands anyway
};

struct ConfigError {
    std::string file;
    std::uint32_t line = 0; // 1 is the first; 0: the file as a whole
    std::uint32_t column = 0;
    std::string key;     // "reply.rfc7372.unauthenticated.soft"; empty for a syntax error
    std::string message; // what is wrong and what is allowed
};

std::string to_string(const ConfigError& error); // "FILE:LINE:COLUMN: KEY: MESSAGE"

// `file` names the text in errors; what it names in turn is read by `read_file`. Never throws for
// what the text says.
tl::expected<Config, ConfigError> parse_config(std::string_view toml_text,
                                               std::string_view file,
                                               const ReadFile& read_file = content_of);
tl::expected<Config, ConfigError> load_config(const std::string& file);

} // namespace milter
