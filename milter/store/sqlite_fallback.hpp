// The ledger of the fallback watch in the file of the store.
#pragma once

#include "milter/store/fallback_ledger.hpp"
#include "milter/store/open_store.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace SQLite { // NOLINT(readability-identifier-naming): as SQLiteCpp has it
class Database;
} // namespace SQLite

namespace store {

class SqliteFallbackLedger final : public FallbackLedger {
public:
    // Throws StoreError, naming the file.
    SqliteFallbackLedger(const std::string& path, Access access, const FallbackLimits& limits = {});
    SqliteFallbackLedger(const SqliteFallbackLedger&) = delete;
    SqliteFallbackLedger& operator=(const SqliteFallbackLedger&) = delete;
    ~SqliteFallbackLedger() override;

    std::uint64_t open(std::span<const FallbackEntry> entries, policy::Time settled) override;
    void end(std::span<const FallbackEnd> ends) override;
    Changes open_entries(policy::Time since, std::size_t most) override;
    Changes changes_after(Position position, std::size_t most) override;
    void read(policy::Time since, const Visit& visit) override;
    std::uint64_t trim(policy::Time oldest) override;
    std::uint64_t forget(const Predicate& is_meant) override;

private:
    Position next_change();
    Position last_change();
    void count_entries();
    bool make_room(policy::Time settled);
    std::uint64_t remove_older(policy::Time oldest);
    void remove(std::span<const Fingerprint> fingerprints);

    std::string path_;
    FallbackLimits limits_;
    std::unique_ptr<SQLite::Database> database_;
    std::uint64_t entries_ = 0; // as they were counted last, and our own since
};

} // namespace store
