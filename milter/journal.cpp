#include "milter/journal.hpp"

#include "milter/since.hpp"
#include "milter/store/open_store.hpp"
#include "policy/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace milter {

namespace {

std::string counts_of(const store::JournalHealth& health) {
    return " waiting=" + std::to_string(health.waiting) +
           " dropped=" + std::to_string(health.dropped);
}

void tell_health(const store::JournalHealth& health, Log& log) {
    if (health.trouble.empty()) {
        log.write(LogLevel::warning, "event=journal_recovered" + counts_of(health));
    } else {
        log.write(LogLevel::error,
                  "event=journal_failed" + policy::logfmt("error", health.trouble) +
                      counts_of(health));
    }
}

// What is watched for longer than the journal is kept, is kept for as long.
bool trim_fallback(const store::StoreSettings& settings, std::chrono::milliseconds window) {
    const auto keep = std::max<std::chrono::milliseconds>(window, settings.keep);
    return store::trim_fallback_ledger(settings, now() - keep);
}

store::JournalTarget open_target(const store::StoreSettings& settings,
                                 std::chrono::milliseconds window) {
    auto store = store::open_store(settings, store::Access::write);
    auto local_parts = store::open_local_parts(settings, store::Access::write);
    return {std::move(store),
            [local_parts](policy::JournalEntry& entry) { local_parts.hide_in(entry); },
            [settings, window] { return trim_fallback(settings, window); }};
}

store::Bounds bounds_of(const store::StoreSettings& settings) {
    return {now() - settings.keep, settings.max_entries};
}

} // namespace

std::unique_ptr<store::JournalWriter> start_journal(const Config& config, Log& log) {
    const store::StoreSettings& settings = config.store;
    if (!store::is_on(settings)) {
        return nullptr;
    }
    const auto window = config.fallback_window.value_or(std::chrono::milliseconds{});
    return std::make_unique<store::JournalWriter>(
        [settings, window] { return open_target(settings, window); },
        [settings] { return bounds_of(settings); },
        [&log](const store::JournalHealth& health) { tell_health(health, log); },
        store::JournalLimits{});
}

void close_journal(store::JournalWriter& journal, Log& log) {
    journal.close();
    const auto health = journal.health();
    if (health.waiting > 0 || health.dropped > 0) {
        log.write(LogLevel::error, "event=journal_lost" + counts_of(health));
    }
}

std::unique_ptr<store::Store> open_journal_store(const store::StoreSettings& settings) {
    if (!store::is_on(settings)) {
        throw store::StoreError{"the configuration has store.url = \"none\": there is no journal"};
    }
    return store::open_store(settings, store::Access::read);
}

void tell(const store::Unreadable& unreadable) {
    if (unreadable.entries > 0) {
        fmt::print(stderr,
                   "sixgate: {} {} left out that cannot be read; {}\n",
                   unreadable.entries,
                   unreadable.entries == 1 ? "entry is" : "entries are",
                   unreadable.trouble);
    }
}

policy::Policy for_journal(policy::Policy policy, const store::StoreSettings& settings) {
    if (!store::names_local_parts(policy)) {
        return policy;
    }
    const auto local_parts = store::open_local_parts(settings, store::Access::read);
    return local_parts.for_hidden(std::move(policy));
}

} // namespace milter
