// The daemon's journal, and the same for those who read it.
#pragma once

#include "milter/config.hpp"
#include "milter/log.hpp"
#include "milter/store/journal_writer.hpp"
#include "milter/store/settings.hpp"
#include "milter/store/store.hpp"
#include "policy/rules.hpp"

#include <memory>

namespace milter {

// Null where the configuration wants none. `log` outlives it. Trouble with the store stops nothing:
// it is logged when it begins and when it is over. The ledger of the fallback watch is trimmed,
// too, also where nothing is watched for any more.
std::unique_ptr<store::JournalWriter> start_journal(const Config& config, Log& log);

// Tries to write what waits, and logs what is lost.
void close_journal(store::JournalWriter& journal, Log& log);

// The store of a configuration, for reading. Throws StoreError, also where the configuration has
// none.
std::unique_ptr<store::Store> open_journal_store(const store::StoreSettings& settings);

// On standard error, where there are any: what was printed is not all that the journal has.
void tell(const store::Unreadable& unreadable);

// `policy` as it judges the entries of that store, in which addresses may be hashed. Reads the key
// where it matters. Throws StoreError.
policy::Policy for_journal(policy::Policy policy, const store::StoreSettings& settings);

} // namespace milter
