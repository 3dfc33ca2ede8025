#include "milter/store/sqlite_fallback.hpp"
#include "milter/store/sqlite_grace.hpp"
#include "milter/store/sqlite_store.hpp"
#include "tests/store/fallback_ledger_contract.hpp"
#include "tests/store/temporary_folder.hpp"
#include "tests/store/trouble.hpp"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include <filesystem>

TEST_CASE("the ledger of the fallback watch in SQLite") {
    for (const auto& contract : tests::fallback_ledger_contract()) {
        SUBCASE(contract.name) {
            const tests::TemporaryFolder folder;
            contract.check([&](const store::FallbackLimits& limits) {
                return std::make_unique<store::SqliteFallbackLedger>(
                    folder.file("sixgate.db"), store::Access::write, limits);
            });
        }
    }
}

TEST_CASE(
    "a ledger of the fallback watch whose file is moved away says so, and writes to no other") {
    const tests::TemporaryFolder folder;
    const std::string file = folder.file("sixgate.db");
    store::SqliteFallbackLedger ledger{file, store::Access::write};
    std::filesystem::rename(file, folder.file("aside.db"));
    CHECK(tests::trouble_with([&] { tests::open_one(ledger, tests::fallback_entry(1)); }) ==
          file + ": was moved or removed");
}

TEST_CASE("sqlite: what a later version keeps is not trimmed") {
    const tests::TemporaryFolder folder;
    const std::string file = folder.file("sixgate.db");
    store::SqliteGraceLedger grace{file, store::Access::write};
    store::SqliteFallbackLedger fallback{file, store::Access::write};
    store::SqliteStore entries{file, store::Access::write};
    tests::open_one(fallback, tests::fallback_entry(1));
    SQLite::Database{file, SQLite::OPEN_READWRITE}.exec("PRAGMA user_version = 9");
    const auto trouble = tests::trouble_with([&] { fallback.trim(policy::Time::max()); });
    CHECK(trouble.find("is of schema version 9") != std::string::npos);
    CHECK(tests::trouble_with([&] { grace.trim(policy::Time::max()); }) == trouble);
    CHECK(tests::trouble_with([&] { entries.trim({policy::Time::max(), 0}); }) == trouble);
    CHECK(tests::entries_in(fallback).size() == 1);
}
