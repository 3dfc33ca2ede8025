// From a configuration to a store.
#pragma once

#include "milter/store/fallback_ledger.hpp"
#include "milter/store/grace_ledger.hpp"
#include "milter/store/local_parts.hpp"
#include "milter/store/settings.hpp"
#include "milter/store/store.hpp"

#include <cstdint>
#include <memory>

namespace store {

bool is_on(const StoreSettings& settings); // whether a journal is kept at all

enum class Access : std::uint8_t {
    write, // by the daemon: makes what is missing, brings an older schema up to date
    read   // by all others: makes nothing
};

// Throws StoreError. `settings` has a journal.
std::unique_ptr<Store> open_store(const StoreSettings& settings, Access access);
std::unique_ptr<GraceLedger> open_grace_ledger(const StoreSettings& settings, Access access);
std::unique_ptr<FallbackLedger> open_fallback_ledger(const StoreSettings& settings, Access access);
LocalParts open_local_parts(const StoreSettings& settings, Access access);

// Removes entries with a first refusal before from the ledger of the fallback watch, whether or not
// somebody watches. Returns whether there are more: some go at a time. Throws StoreError.
bool trim_fallback_ledger(const StoreSettings& settings, policy::Time oldest);

// The octets of the key that keyed hashes of this store are made with, whatever `addresses` says.
std::string open_key(const StoreSettings& settings, Access access);

} // namespace store
