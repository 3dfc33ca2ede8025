// The store in one file of this host: SQLite with a write-ahead log, so that readers never wait
// for the writer, and a process that is killed loses nothing that append() has returned from.
#pragma once

#include "milter/store/open_store.hpp"
#include "milter/store/row.hpp"
#include "milter/store/store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace SQLite { // NOLINT(readability-identifier-naming): as SQLiteCpp has it
class Database;
class Statement;
} // namespace SQLite

namespace store {

class SqliteStore final : public Store {
public:
    // Throws StoreError, naming the file.
    SqliteStore(const std::string& path, Access access);
    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;
    ~SqliteStore() override;

    void append(std::span<const policy::JournalEntry> entries) override;
    Position end() override;
    Reading read(const Filter& filter, Position position, const Visit& visit) override;
    std::uint64_t count(const Filter& filter) override;
    Trimmed trim(const Bounds& bounds) override;
    Forgotten forget(const Predicate& is_meant) override;

private:
    using VisitRow = std::function<void(const Row& row)>;

    void insert(const policy::JournalEntry& entry);
    void read_rows(const Filter& filter, Position after, Position last, const VisitRow& visit);
    std::vector<Position> beyond_the_number(const Bounds& bounds);
    void add_first_too_old(const Bounds& bounds, std::vector<Position>& positions);
    void add_too_old(const Bounds& bounds, std::vector<Position>& positions);
    void remove(std::span<const Position> positions);
    void write_anew(std::size_t removed);

    std::string path_;
    std::unique_ptr<SQLite::Database> database_;
    std::unique_ptr<SQLite::Statement> insert_entry_; // prepared once, for the writer
    std::unique_ptr<SQLite::Statement> insert_details_;
    Position looked_at_ = 0; // by trim(), which goes through all the entries in turns
};

} // namespace store
