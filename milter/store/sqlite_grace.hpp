// The grace ledger in the file of the store.
#pragma once

#include "milter/store/grace_ledger.hpp"
#include "milter/store/open_store.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace SQLite { // NOLINT(readability-identifier-naming): as SQLiteCpp has it
class Database;
} // namespace SQLite

namespace store {

class SqliteGraceLedger final : public GraceLedger {
public:
    // Throws StoreError, naming the file.
    SqliteGraceLedger(const std::string& path, Access access, const GraceLimits& limits = {});
    SqliteGraceLedger(const SqliteGraceLedger&) = delete;
    SqliteGraceLedger& operator=(const SqliteGraceLedger&) = delete;
    ~SqliteGraceLedger() override;

    std::optional<GraceRecord>
    count(const GraceKey& key, policy::Time time, std::chrono::milliseconds period) override;
    std::uint64_t trim(policy::Time unused_since) override;
    void read(const Visit& visit) override;
    std::uint64_t forget(const Predicate& is_meant) override;

private:
    std::optional<GraceRecord>
    counted(const GraceKey& key, policy::Time time, std::chrono::milliseconds period);
    bool has_room_for(const GraceKey& key, policy::Time time);
    void count_records();
    std::uint64_t remove_unused(policy::Time since);
    void remove(std::span<const GraceKey> keys);

    std::string path_;
    GraceLimits limits_;
    std::unique_ptr<SQLite::Database> database_;
    std::uint64_t records_ = 0; // as of the last trim(), and our own since
};

} // namespace store
