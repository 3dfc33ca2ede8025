// The rows that a store in SQLite has of its entries, and which of them a filter means.
#pragma once

#include "milter/store/row.hpp"
#include "milter/store/store.hpp"

#include <cstdint>
#include <vector>

namespace SQLite { // NOLINT(readability-identifier-naming): as SQLiteCpp has it
class Database;
}

namespace store {

// The next rows after one position, up to another and with it, that the filter means or that cannot
// be read. No more than memory has room for; none: there are no more. Throws SQLite::Exception.
std::vector<Row> page_of(SQLite::Database& database,
                         const Filter& filter,
                         Store::Position after,
                         Store::Position last);

// Rows up to a position that the filter means by what has columns: all but its reason and its
// stage. Throws SQLite::Exception.
std::uint64_t count_rows(SQLite::Database& database, const Filter& filter, Store::Position last);

} // namespace store
