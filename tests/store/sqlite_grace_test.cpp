#include "milter/store/sqlite_grace.hpp"
#include "tests/store/grace_ledger_contract.hpp"
#include "tests/store/temporary_folder.hpp"
#include "tests/store/trouble.hpp"

#include <doctest/doctest.h>

#include <filesystem>

TEST_CASE("the grace ledger in SQLite") {
    for (const auto& contract : tests::grace_ledger_contract()) {
        SUBCASE(contract.name) {
            const tests::TemporaryFolder folder;
            contract.check([&](const store::GraceLimits& limits) {
                return std::make_unique<store::SqliteGraceLedger>(
                    folder.file("sixgate.db"), store::Access::write, limits);
            });
        }
    }
}

TEST_CASE("a grace ledger whose file is moved away says so, and writes to no other") {
    const tests::TemporaryFolder folder;
    const std::string file = folder.file("sixgate.db");
    store::SqliteGraceLedger ledger{file, store::Access::write};
    std::filesystem::rename(file, folder.file("aside.db"));
    CHECK(tests::trouble_with([&] {
              ledger.count(tests::grace_key("example.org"), tests::noon, std::chrono::days{1});
          }) == file + ": was moved or removed");
}
