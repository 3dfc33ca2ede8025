// Reads the configuration again on SIGUSR1. (SIGHUP is libmilter's, and stops it.)
#pragma once

#include "milter/config_store.hpp"
#include "milter/log.hpp"

#include <stop_token>
#include <string>
#include <thread>

namespace milter {

// Makes SIGUSR1 wait for the Reloader, and SIGHUP, SIGTERM and SIGINT for libmilter, which has a
// thread for them. Call it before the first thread starts: each inherits the mask, and none of ours
// may be ended by a signal that it was not meant to get.
void block_signals();

// A thread that waits for the signal. A file with an error leaves the old configuration in force
// and says so; a change that needs a restart is said and not applied.
class Reloader {
public:
    Reloader(ConfigStore& configs, Log& log, std::string config_file);

private:
    void wait(const std::stop_token& stop);
    void reload();

    ConfigStore& configs_;
    Log& log_;
    const std::string config_file_;
    std::jthread thread_; // last: it uses the others
};

} // namespace milter
