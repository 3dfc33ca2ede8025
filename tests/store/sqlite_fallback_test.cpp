#include "milter/store/sqlite_fallback.hpp"
#include "tests/store/fallback_ledger_contract.hpp"
#include "tests/store/temporary_folder.hpp"
#include "tests/store/trouble.hpp"

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
