// From a configuration to what a message is judged with.
#pragma once

#include "milter/config_store.hpp"
#include "milter/log.hpp"

#include <memory>
#include <string>

namespace milter {

// `previous` lends its resolver, cache and all, where [dns] has not changed; null at start. Throws
// std::runtime_error where the resolver cannot be made.
std::shared_ptr<const Setup> make_setup(Config config, const Setup* previous);

void log_warnings(const Config& config, Log& log);

// The host's own name, as authserv_id where none is set.
std::string host_name();

} // namespace milter
