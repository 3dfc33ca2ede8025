// From a configuration to what a message is judged with.
#pragma once

#include "milter/config_store.hpp"
#include "milter/log.hpp"

#include <memory>
#include <optional>
#include <string>

namespace milter {

// The file that was named; or the default one where it exists; or the defaults.
tl::expected<Config, ConfigError> load_named_or_default(const std::string& file);

// The same for a command: what is wrong is told on standard error, and there is none.
std::optional<Config> load_or_tell(const std::string& file);

// `previous` lends its resolver, cache and all, where [dns] has not changed; null at start. Throws
// std::runtime_error where the resolver cannot be made.
std::shared_ptr<const Setup> make_setup(Config config, const Setup* previous);

// Where the configuration names no name servers, those of resolv.conf as they are now, with a
// warning for each that is not on this host.
Config with_name_servers(Config config);

// What is the whole process': the level of the log and the keys that are kept. Logs the warnings.
void apply_to_process(const Config& config, Log& log);

// The host's own name, as authserv_id where none is set.
std::string host_name();

} // namespace milter
