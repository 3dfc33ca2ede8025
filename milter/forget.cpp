// `sixgate forget`: takes somebody out of the journal.
#include "milter/commands.hpp"
#include "milter/journal.hpp"
#include "milter/setup.hpp"

#include <fmt/format.h>
#include <sysexits.h>

#include <cstdint>
#include <cstdio>

namespace milter {

namespace {

store::Store::Forgotten count(store::Store& store, const store::Store::Predicate& is_meant) {
    std::uint64_t entries = 0;
    const auto reading = store.read({}, 0, [&](const policy::JournalEntry& entry) {
        if (is_meant(entry)) {
            ++entries;
        }
    });
    return {entries, reading.unreadable};
}

} // namespace

int forget(const ForgetOptions& options) {
    const auto config = load_or_tell(options.config_file);
    if (!config) {
        return EX_CONFIG;
    }
    const Journal journal = open_journal(config->store);
    const auto is_meant = names(options.subject, journal.local_parts);
    const auto forgotten =
        options.is_dry_run ? count(*journal.store, is_meant) : journal.store->forget(is_meant);
    fmt::print("{} {} {}\n",
               forgotten.entries,
               forgotten.entries == 1 ? "entry" : "entries",
               options.is_dry_run ? "would be forgotten" : "forgotten");
    tell(forgotten.unreadable);
    return forgotten.unreadable.entries == 0 ? EX_OK : EX_SOFTWARE; // they may be meant, too
}

} // namespace milter
