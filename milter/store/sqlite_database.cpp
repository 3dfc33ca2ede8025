#include "milter/store/sqlite_database.hpp"

#include "milter/store/sqlite_schema.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace store {

namespace {

// How long another process may hold the file before it counts as trouble.
constexpr int patience_ms = 1'000;

int flags_of(Access access) {
    // Also for readers: SQLite recovers what a killed writer has left in the log, and that writes.
    return access == Access::write ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE
                                   : SQLite::OPEN_READWRITE;
}

// For its owner alone, as the key is; SQLite gives the -wal and the -shm the same mode. What is
// there already is not opened: to close it would end the locks that this process has on it.
void make_private_file(const std::string& path) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    const int file = open(path.c_str(), flags, S_IRUSR | S_IWUSR);
    if (file >= 0) {
        close(file);
    } // else it is there, or SQLite tells what is wrong
}

void require_file(const std::string& path) {
    std::error_code error; // where there is one, SQLite tells what is wrong
    if (!std::filesystem::exists(path, error) && !error) {
        throw StoreError{path + ": is not there yet: `sixgate run` makes it when it starts"};
    }
}

} // namespace

std::unique_ptr<SQLite::Database> open_database(const std::string& path, Access access) {
    if (access == Access::write) {
        make_private_file(path);
    } else {
        require_file(path);
    }
    return on(path, [&] {
        auto database = std::make_unique<SQLite::Database>(path, flags_of(access), patience_ms);
        database->exec("PRAGMA secure_delete = ON"); // of what is trimmed little is left
        if (access == Access::read) {
            require_current(*database, schema_steps());
            return database;
        }
        database->exec("PRAGMA journal_mode = WAL");
        database->exec("PRAGMA synchronous = NORMAL");
        database->exec("PRAGMA journal_size_limit = 67108864");
        migrate(*database, schema_steps());
        return database;
    });
}

void require_in_place(SQLite::Database& database) {
    int moved = 0;
    sqlite3_file_control(database.getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved != 0) {
        throw StoreError{database.getFilename() + ": was moved or removed"};
    }
}

void bind_blob(SQLite::Statement& statement, int index, std::span<const std::uint8_t> octets) {
    statement.bindNoCopy(index, octets.data(), static_cast<int>(octets.size()));
}

} // namespace store
