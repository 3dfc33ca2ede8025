// `sixgate run`: the daemon.
#include "milter/callbacks.hpp"
#include "milter/commands.hpp"
#include "milter/config_store.hpp"
#include "milter/journal.hpp"
#include "milter/log.hpp"
#include "milter/reload.hpp"
#include "milter/setup.hpp"
#include "milter/shared_state.hpp"
#include "policy/journal.hpp"

#include <sysexits.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>

namespace milter {

namespace {

// An event that is still blocked this long after the socket is closed is left behind.
constexpr auto milter_patience = std::chrono::seconds{5};

int serve(const RunOptions& options, Log& log) {
    block_signals();
    auto config = load_named_or_default(options.config_file);
    if (!config) {
        log.write(LogLevel::error, to_string(config.error()));
        return EX_CONFIG;
    }
    ConfigStore configs{make_setup(std::move(*config), nullptr)};
    apply_to_process(configs.current()->config, log);
    const auto journal = start_journal(configs.current()->config, log);
    const auto grace = start_grace(configs.current()->config, log);
    const auto fallback = start_fallback_watch(configs.current()->config, log);
    ProbeLimit probe_limit;
    const Services services{
        configs, log, host_name(), journal.get(), &probe_limit, grace.get(), fallback.get()};
    open_milter(services);
    const Reloader reloader{configs, log, options.config_file};
    log.write(LogLevel::info,
              "event=started" + policy::logfmt("socket", configs.current()->config.milter.socket));
    const MilterEnd end = run_milter(milter_patience);
    if (journal) { // first: it has most to lose where somebody cuts the end short
        close_journal(*journal, log); // while events that are left behind may still write to it
    }
    if (grace) {
        grace->close();
    }
    if (fallback) {
        close_fallback_watch(*fallback, log);
    }
    log.write(end.is_failure ? LogLevel::error : LogLevel::info,
              end.is_failure ? "event=failed error=\"smfi_main gave up\"" : "event=stopped");
    const int status = end.is_failure ? EX_UNAVAILABLE : EX_OK;
    if (!end.is_quiet) {
        std::fflush(nullptr); // what the events still use must not be destroyed under them
        _exit(status);
    }
    return status;
}

} // namespace

int run(const RunOptions& options) {
    Log log{options.in_foreground ? Log::Target::standard_error : Log::Target::syslog};
    try {
        return serve(options, log);
    } catch (const std::exception& error) {
        log.write(LogLevel::error, "event=cannot_run" + policy::logfmt("error", error.what()));
        std::fprintf(stderr, "sixgate: %s\n", error.what());
        return EX_UNAVAILABLE;
    }
}

} // namespace milter
