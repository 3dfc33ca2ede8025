// `sixgate forget`: takes somebody out of the journal.
#include "milter/commands.hpp"
#include "milter/journal.hpp"
#include "milter/setup.hpp"
#include "milter/standard_output.hpp"
#include "milter/store/local_parts.hpp"
#include "milter/store/open_store.hpp"
#include "milter/subject.hpp"

#include <fmt/format.h>
#include <sysexits.h>

#include <cstdint>
#include <cstdio>
#include <variant>

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

// Nobody but a mail address is hashed.
store::LocalParts local_parts_for(const Subject& subject, const store::StoreSettings& settings) {
    return std::holds_alternative<MailAddress>(subject)
               ? store::open_local_parts(settings, store::Access::read)
               : store::LocalParts{};
}

} // namespace

int forget(const ForgetOptions& options) {
    const auto config = load_or_tell(options.config_file);
    if (!config) {
        return EX_CONFIG;
    }
    const auto store = open_journal_store(config->store);
    const auto is_meant = names(options.subject, local_parts_for(options.subject, config->store));
    const auto forgotten = options.is_dry_run ? count(*store, is_meant) : store->forget(is_meant);
    fmt::print("{} {} {}\n",
               forgotten.entries,
               forgotten.entries == 1 ? "entry" : "entries",
               options.is_dry_run ? "would be forgotten" : "forgotten");
    flush_standard_output();
    tell(forgotten.unreadable);
    return forgotten.unreadable.entries == 0 ? EX_OK : EX_SOFTWARE; // they may be meant, too
}

} // namespace milter
