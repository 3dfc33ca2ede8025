// A database of SQLite as all parts of the store open it: one file, with a write-ahead log.
#pragma once

#include "milter/store/open_store.hpp"
#include "milter/store/store.hpp"

#include <SQLiteCpp/Exception.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace SQLite { // NOLINT(readability-identifier-naming): as SQLiteCpp has it
class Database;
class Statement;
} // namespace SQLite

namespace store {

// With the schema of this version: a writer makes what is missing, a reader refuses. Throws
// StoreError, naming the file.
std::unique_ptr<SQLite::Database> open_database(const std::string& path, Access access);

// SQLite would go on with a file that has no name any more, or another one: throws StoreError.
void require_in_place(SQLite::Database& database);

// `octets` must live until the statement has run.
void bind_blob(SQLite::Statement& statement, int index, std::span<const std::uint8_t> octets);

// What SQLite throws is told with the file's name, and in one type.
template <typename Call>
auto on(const std::string& path, Call call) {
    try {
        return call();
    } catch (const SQLite::Exception& error) {
        throw StoreError{path + ": " + error.what()};
    }
}

} // namespace store
