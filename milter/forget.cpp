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
#include <string_view>
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

// Of the grace ledger and of the fallback watch.
std::uint64_t forget_beside_journal(const ForgetOptions& options,
                                    const store::StoreSettings& settings,
                                    const store::LocalParts& local_parts) {
    const auto grace = store::open_grace_ledger(settings, store::Access::read);
    const auto fallback = store::open_fallback_ledger(settings, store::Access::read);
    const auto is_of_grace = names_grace(options.subject);
    const auto is_of_fallback = names_fallback(options.subject, local_parts);
    if (!options.is_dry_run) {
        return grace->forget(is_of_grace) + fallback->forget(is_of_fallback);
    }
    std::uint64_t meant = 0;
    grace->read([&](const store::GraceKey& key, const store::GraceRecord&) {
        meant += is_of_grace(key) ? 1U : 0U;
    });
    fallback->read(policy::Time{}, [&](const store::FallbackEntry& entry) {
        meant += is_of_fallback(entry) ? 1U : 0U;
    });
    return meant;
}

void tell_forgotten(std::uint64_t number, std::string_view what, const ForgetOptions& options) {
    fmt::print("{} {}{} {}\n",
               number,
               number == 1 ? "entry" : "entries",
               what,
               options.is_dry_run ? "would be forgotten" : "forgotten");
}

} // namespace

int forget(const ForgetOptions& options) {
    const auto config = load_or_tell(options.config_file);
    if (!config) {
        return EX_CONFIG;
    }
    const auto store = open_journal_store(config->store);
    const auto local_parts = local_parts_for(options.subject, config->store);
    const auto is_meant = names(options.subject, local_parts);
    const auto beside = forget_beside_journal(options, config->store, local_parts);
    const auto forgotten = options.is_dry_run ? count(*store, is_meant) : store->forget(is_meant);
    tell_forgotten(forgotten.entries, "", options);
    if (beside > 0) {
        tell_forgotten(beside, " of grace and fallback", options);
    }
    flush_standard_output();
    tell(forgotten.unreadable);
    return forgotten.unreadable.entries == 0 ? EX_OK : EX_SOFTWARE; // they may be meant, too
}

} // namespace milter
