// The tables of the store in SQLite, and the way from those of an earlier version to them.
#pragma once

#include <span>

namespace SQLite { // NOLINT(readability-identifier-naming): as SQLiteCpp has it
class Database;
}

namespace store {

// Step N takes a database from version N to version N + 1 (PRAGMA user_version); a new one is of
// version 0. A step that has been released is never changed: the next one is added.
std::span<const char* const> schema_steps();

// Takes the steps that are missing, each in a transaction with its version. Throws
// SQLite::Exception, and StoreError where the database is of a later version.
void migrate(SQLite::Database& database, std::span<const char* const> steps);

// Throws StoreError where a step is missing or unknown.
void require_current(SQLite::Database& database, std::span<const char* const> steps);

} // namespace store
