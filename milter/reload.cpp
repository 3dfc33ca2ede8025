#include "milter/reload.hpp"

#include "milter/setup.hpp"
#include "policy/journal.hpp"

#include <pthread.h>

#include <csignal>
#include <ctime>
#include <exception>
#include <utility>

namespace milter {

namespace {

sigset_t reload_signal() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    return signals;
}

} // namespace

void block_signals() {
    sigset_t signals = reload_signal();
    for (const int libmilters : {SIGHUP, SIGTERM, SIGINT}) {
        sigaddset(&signals, libmilters);
    }
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Reloader::Reloader(ConfigStore& configs, Log& log, std::string config_file)
    : configs_{configs}, log_{log}, config_file_{std::move(config_file)},
      thread_{[this](const std::stop_token& stop) { wait(stop); }} {}

void Reloader::wait(const std::stop_token& stop) {
    const sigset_t signals = reload_signal();
    constexpr timespec look_round{0, 200'000'000}; // whether to stop
    while (!stop.stop_requested()) {
        if (sigtimedwait(&signals, nullptr, &look_round) == SIGUSR1) {
            try {
                reload();
            } catch (const std::exception& error) {
                log_.write(LogLevel::error,
                           "event=reload_failed" + policy::logfmt("error", error.what()));
            }
        }
    }
}

void Reloader::reload() {
    auto config = load_named_or_default(config_file_);
    if (!config) {
        log_.write(LogLevel::error,
                   "event=reload_failed" + policy::logfmt("error", to_string(config.error())));
        return;
    }
    const auto old = configs_.current();
    if (old->config.milter.socket != config->milter.socket ||
        old->config.milter.socket_mode != config->milter.socket_mode) {
        log_.write(LogLevel::warning, "event=restart_needed keys=milter.socket,milter.socket_mode");
        config->milter.socket = old->config.milter.socket;
        config->milter.socket_mode = old->config.milter.socket_mode;
    }
    if (old->config.store != config->store) {
        log_.write(LogLevel::warning, "event=restart_needed keys=store");
        config->store = old->config.store;
    }
    if (old->config.fallback_window != config->fallback_window) {
        log_.write(LogLevel::warning, "event=restart_needed keys=fallback");
        config->fallback_window = old->config.fallback_window;
    }
    auto setup = make_setup(std::move(*config), old.get());
    apply_to_process(setup->config, log_);
    configs_.replace(std::move(setup));
    log_.write(LogLevel::info, "event=reloaded");
}

} // namespace milter
