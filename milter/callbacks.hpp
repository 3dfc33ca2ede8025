// libmilter: its events become calls of a Session, exceptions stop here.
#pragma once

#include "milter/session.hpp"

#include <chrono>

namespace milter {

// Registers the filter and opens the socket of the configuration, with its mode. Throws
// std::runtime_error, naming the call or the socket, where that fails, and where another process
// listens on the socket. `shared` outlives all sessions.
void open_milter(const Services& shared);

struct MilterEnd {
    bool is_failure = false; // libmilter gave up by itself
    bool is_quiet = false;   // no event is under way; otherwise nothing that they use may go away
};

// Runs until SIGTERM, SIGINT or SIGHUP; then waits for the events under way, `patience` at most,
// and lets no other begin.
MilterEnd run_milter(std::chrono::milliseconds patience);

} // namespace milter
