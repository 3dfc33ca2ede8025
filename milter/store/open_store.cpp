#include "milter/store/open_store.hpp"

#include "milter/store/redis_fallback.hpp"
#include "milter/store/redis_grace.hpp"
#include "milter/store/redis_store.hpp"
#include "milter/store/sqlite_fallback.hpp"
#include "milter/store/sqlite_grace.hpp"
#include "milter/store/sqlite_store.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace store {

namespace {

constexpr std::string_view sqlite_scheme = "sqlite:";

// Of the database; none: the store is a server.
std::optional<std::string> path_of(const StoreSettings& settings) {
    if (settings.url.starts_with(sqlite_scheme)) {
        return settings.url.substr(sqlite_scheme.size());
    }
    return std::nullopt;
}

RedisAccess server_of(const StoreSettings& settings) {
    auto url = parse_redis_url(settings.url);
    if (!url) { // which may have a password
        throw StoreError{"store.url names no kind of store that there is"};
    }
    return {std::move(*url), settings.password_file, settings.ca_file};
}

std::string key_file_of(const StoreSettings& settings) {
    const auto path = path_of(settings);
    return settings.key_file.empty() && path ? *path + ".key" : settings.key_file;
}

} // namespace

bool is_on(const StoreSettings& settings) {
    return settings.url != "none";
}

std::unique_ptr<Store> open_store(const StoreSettings& settings, Access access) {
    if (const auto path = path_of(settings)) {
        return std::make_unique<SqliteStore>(*path, access);
    }
    const std::string check =
        access == Access::write ? open_local_parts(settings, access).key_check() : "";
    return std::make_unique<RedisStore>(server_of(settings), check, access);
}

std::unique_ptr<GraceLedger> open_grace_ledger(const StoreSettings& settings, Access access) {
    if (const auto path = path_of(settings)) {
        return std::make_unique<SqliteGraceLedger>(*path, access);
    }
    return std::make_unique<RedisGraceLedger>(server_of(settings), access);
}

std::unique_ptr<FallbackLedger> open_fallback_ledger(const StoreSettings& settings, Access access) {
    if (const auto path = path_of(settings)) {
        return std::make_unique<SqliteFallbackLedger>(*path, access);
    }
    const std::string check =
        access == Access::write ? LocalParts{open_key(settings, access)}.key_check() : "";
    return std::make_unique<RedisFallbackLedger>(server_of(settings), check, access);
}

// Without the key, which this does not need and a store that nobody watches may not have.
bool trim_fallback_ledger(const StoreSettings& settings, policy::Time oldest) {
    const auto path = path_of(settings);
    const std::uint64_t trimmed =
        path ? SqliteFallbackLedger{*path, Access::write}.trim(oldest)
             : RedisFallbackLedger{server_of(settings), "", Access::write}.trim(oldest);
    return trimmed >= FallbackLedger::most_trimmed;
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

// Beside a database it is made. One that several hosts share is given to them.
std::string open_key(const StoreSettings& settings, Access access) {
    const std::string file = key_file_of(settings);
    if (path_of(settings)) {
        return access == Access::write ? read_or_make_key(file) : read_key(file);
    }
    if (file.empty()) {
        throw StoreError{"store.key must name the key that all hosts of " + settings.url + " have"};
    }
    if (!std::filesystem::exists(file)) {
        throw StoreError{file + ": is not there: make it with `openssl rand -out " + file +
                         " 32`, and give the same to every host that shares the store"};
    }
    return read_key(file);
}

} // namespace store
