#include "milter/store/sqlite_store.hpp"
#include "tests/store/entry_makers.hpp"
#include "tests/store/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace {

std::vector<policy::JournalEntry> all_of(store::Store& store, const store::Filter& filter = {}) {
    std::vector<policy::JournalEntry> entries;
    store.read(filter, 0, [&](const policy::JournalEntry& entry) { entries.push_back(entry); });
    return entries;
}

} // namespace

TEST_CASE("what was appended is read again, whole and in order") {
    const tests::TemporaryFolder folder;
    store::SqliteStore store{folder.file("sixgate.db"), store::Access::write};
    const std::vector entries{tests::entry("first"), tests::entry("second")};
    store.append(entries);
    CHECK(all_of(store) == entries);
}
