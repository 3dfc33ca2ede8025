#include "milter/store/sqlite_schema.hpp"

#include "milter/store/store.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <array>
#include <string>

namespace store {

namespace {

// The journal. Two tables, and no index but the ids: entries are written in the order of arrival,
// and an index by domain or client would have every message dirty pages all over the file. What is
// searched by stands in narrow rows, of which a million are read in a moment. AUTOINCREMENT: an id
// is never used twice, so that whoever follows the journal misses nothing.
constexpr auto steps_of_this_version = std::to_array<const char*>({
    R"(
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time INTEGER NOT NULL,  -- milliseconds since 1970, UTC
        case_id TEXT NOT NULL,
        client BLOB,            -- 16 octets; NULL: none
        domain TEXT NOT NULL    -- of MAIL FROM, in lower case; empty: the null path
    );
    CREATE TABLE details (
        id INTEGER PRIMARY KEY, -- of the entry
        octets BLOB NOT NULL    -- the rest, see entry_details.hpp
    );
    )",
    // The grace ledger and the fallback watch. Times as above; a network is the first address of a
    // /64, in 16 octets. What has changed in the watch has a number, given once and for all.
    R"(
    CREATE TABLE grace (
        network BLOB NOT NULL,
        domain TEXT NOT NULL,        -- organizational; empty: none
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        refused_from INTEGER NOT NULL,
        PRIMARY KEY (network, domain)
    ) WITHOUT ROWID;
    CREATE TABLE fallback (
        fingerprint BLOB PRIMARY KEY, -- 16 octets
        first INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        reason TEXT NOT NULL,
        stage TEXT NOT NULL,
        mail_from TEXT NOT NULL,      -- local parts as keyed hashes
        mail_from_domain TEXT NOT NULL,
        recipient TEXT NOT NULL,
        network BLOB NOT NULL,
        recovery TEXT,                -- NULL: it is open
        recovered INTEGER,
        change INTEGER NOT NULL       -- the last of it
    ) WITHOUT ROWID;
    CREATE INDEX fallback_first ON fallback (first);
    CREATE INDEX fallback_by_change ON fallback (change);
    CREATE INDEX fallback_ended ON fallback (first) WHERE recovery IS NOT NULL;
    CREATE TABLE fallback_change (last INTEGER NOT NULL);
    INSERT INTO fallback_change VALUES (0);
    )",
});

std::size_t version_of(SQLite::Database& database) {
    return database.execAndGet("PRAGMA user_version").getUInt();
}

[[noreturn]] void refuse(SQLite::Database& database, std::size_t version, std::size_t known) {
    throw StoreError{database.getFilename() + ": is of schema version " + std::to_string(version) +
                     ", and this sixgate knows version " + std::to_string(known) +
                     (version > known ? ": it was written by a later one"
                                      : ": the daemon brings it up to date when it starts")};
}

} // namespace

std::span<const char* const> schema_steps() {
    return steps_of_this_version;
}

void migrate(SQLite::Database& database, std::span<const char* const> steps) {
    if (version_of(database) == steps.size()) {
        return;
    }
    SQLite::Transaction transaction{database, SQLite::TransactionBehavior::IMMEDIATE};
    const std::size_t version = version_of(database); // another process may have been faster
    if (version > steps.size()) {
        refuse(database, version, steps.size());
    }
    for (const char* const step : steps.subspan(version)) {
        database.exec(step);
    }
    database.exec("PRAGMA user_version = " + std::to_string(steps.size()));
    transaction.commit();
}

void require_current(SQLite::Database& database, std::span<const char* const> steps) {
    const std::size_t version = version_of(database);
    if (version != steps.size()) {
        refuse(database, version, steps.size());
    }
}

} // namespace store
