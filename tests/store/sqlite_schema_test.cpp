#include "milter/store/sqlite_schema.hpp"
#include "milter/store/store.hpp"
#include "tests/store/temporary_folder.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include <array>
#include <span>
#include <string>

namespace {

using Steps = std::span<const char* const>;

constexpr auto three_steps = std::to_array<const char*>({
    "CREATE TABLE person (name TEXT); INSERT INTO person VALUES ('ann')",
    "ALTER TABLE person ADD COLUMN age INTEGER DEFAULT 7",
    "CREATE TABLE pet (name TEXT); INSERT INTO pet SELECT name || '''s cat' FROM person",
});

SQLite::Database open(const tests::TemporaryFolder& folder) {
    return {folder.file("sixgate.db"), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
}

std::string one(SQLite::Database& database, const char* query) {
    return database.execAndGet(query).getString();
}

std::string version_of(SQLite::Database& database) {
    return one(database, "PRAGMA user_version");
}

} // namespace

TEST_CASE("a database of any earlier version is brought up to date with its rows") {
    for (std::size_t version = 0; version <= three_steps.size(); ++version) {
        CAPTURE(version);
        const tests::TemporaryFolder folder;
        SQLite::Database database = open(folder);
        store::migrate(database, Steps{three_steps}.first(version));
        CHECK(version_of(database) == std::to_string(version));
        if (version > 0) {
            database.exec("UPDATE person SET name = 'bob'");
        }

        store::migrate(database, three_steps);
        CHECK(version_of(database) == "3");
        CHECK(one(database, "SELECT group_concat(name) FROM person") ==
              (version > 0 ? "bob" : "ann"));
        CHECK(one(database, "SELECT age FROM person") == "7");
        CHECK(one(database, "SELECT name FROM pet") ==
              (version == 1 || version == 2 ? "bob's cat" : "ann's cat"));
        CHECK_NOTHROW(store::require_current(database, three_steps));
    }
}

TEST_CASE("a database of another version is refused, and both versions are named") {
    const tests::TemporaryFolder folder;
    SQLite::Database database = open(folder);
    store::migrate(database, three_steps);
    const auto two_steps = Steps{three_steps}.first(2);
    const std::string later = folder.file("sixgate.db") +
                              ": is of schema version 3, and this sixgate knows version 2: it was "
                              "written by a later one";
    CHECK_THROWS_WITH_AS(store::migrate(database, two_steps), later.c_str(), store::StoreError);
    CHECK_THROWS_WITH_AS(
        store::require_current(database, two_steps), later.c_str(), store::StoreError);
    CHECK(version_of(database) == "3");
    CHECK(one(database, "SELECT name FROM pet") == "ann's cat");
}

TEST_CASE("a reader migrates nothing, and says who does") {
    const tests::TemporaryFolder folder;
    SQLite::Database database = open(folder);
    store::migrate(database, Steps{three_steps}.first(1));
    const std::string earlier = folder.file("sixgate.db") +
                                ": is of schema version 1, and this sixgate knows version 3: the "
                                "daemon brings it up to date when it starts";
    CHECK_THROWS_WITH_AS(
        store::require_current(database, three_steps), earlier.c_str(), store::StoreError);
    CHECK(version_of(database) == "1");
}

TEST_CASE("a step that fails leaves all as it was") {
    constexpr auto failing_steps = std::to_array<const char*>(
        {three_steps[0], three_steps[1], "CREATE TABLE pet (name TEXT); DROP TABLE nothing"});
    const tests::TemporaryFolder folder;
    {
        SQLite::Database database = open(folder);
        store::migrate(database, Steps{failing_steps}.first(1));
        CHECK_THROWS_AS(store::migrate(database, failing_steps), SQLite::Exception);
        CHECK(version_of(database) == "1");
        CHECK(one(database, "SELECT sql FROM sqlite_master") == "CREATE TABLE person (name TEXT)");
    }
    SQLite::Database database = open(folder);
    store::migrate(database, three_steps); // by a version that has it right
    CHECK(one(database, "SELECT name FROM pet") == "ann's cat");
}
