// libmilter: its events become calls of a Session, exceptions stop here.
#pragma once

#include "milter/session.hpp"

#include <chrono>

namespace milter {

// Registers the filter and opens the socket of the configuration, with its mode. Throws
// std::runtime_error, naming the call and the socket, where that fails. `shared` outlives all
// sessions.
void open_milter(const Services& shared);

// Runs until SIGTERM, SIGINT or SIGHUP. Throws std::runtime_error where libmilter gives up.
void run_milter();

// After run_milter(): waits for the events still under way. False where some are left.
bool wait_for_events(std::chrono::milliseconds patience);

} // namespace milter
