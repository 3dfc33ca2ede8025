#include "milter/store/open_store.hpp"

#include "milter/store/sqlite_fallback.hpp"
#include "milter/store/sqlite_grace.hpp"
#include "milter/store/sqlite_store.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace store {

namespace {

constexpr std::string_view sqlite_scheme = "sqlite:";

std::string path_of(const StoreSettings& settings) {
    if (!settings.url.starts_with(sqlite_scheme)) {
        throw StoreError{settings.url + ": no such kind of store"};
    }
    return settings.url.substr(sqlite_scheme.size());
}

std::string key_file_of(const StoreSettings& settings) {
    return settings.key_file.empty() ? path_of(settings) + ".key" : settings.key_file;
}

} // namespace

bool is_on(const StoreSettings& settings) {
    return settings.url != "none";
}

std::unique_ptr<Store> open_store(const StoreSettings& settings, Access access) {
    return std::make_unique<SqliteStore>(path_of(settings), access);
}

std::unique_ptr<GraceLedger> open_grace_ledger(const StoreSettings& settings, Access access) {
    return std::make_unique<SqliteGraceLedger>(path_of(settings), access);
}

std::unique_ptr<FallbackLedger> open_fallback_ledger(const StoreSettings& settings, Access access) {
    return std::make_unique<SqliteFallbackLedger>(path_of(settings), access);
}

LocalParts open_local_parts(const StoreSettings& settings, Access access) {
    // Whoever reads may find entries from a time when addresses were hashed.
    const bool may_be_hashed =
        access == Access::read && std::filesystem::exists(key_file_of(settings));
    if (settings.addresses == Addresses::full && !may_be_hashed) {
        return LocalParts{};
    }
    return LocalParts{open_key(settings, access)};
}

std::string open_key(const StoreSettings& settings, Access access) {
    const std::string file = key_file_of(settings);
    return access == Access::write ? read_or_make_key(file) : read_key(file);
}

} // namespace store
