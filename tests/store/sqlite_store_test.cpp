#include "milter/store/sqlite_store.hpp"
#include "tests/store/entry_makers.hpp"
#include "tests/store/store_scenes.hpp"
#include "tests/store/temporary_folder.hpp"
#include "tests/store/trouble.hpp"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using policy::JournalEntry;
using store::Access;
using store::SqliteStore;
using tests::all_of;
using tests::append_one;
using tests::cases_of;
using tests::entry_of;
using tests::octets_in;
using tests::trouble_with;
using tests::Words;
using tests::write_file;

} // namespace

TEST_CASE("entries of a clock that ran ahead keep no others") {
    const tests::TemporaryFolder folder;
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    JournalEntry ahead = tests::entry("ahead");
    ahead.time += std::chrono::days{400};
    JournalEntry old = tests::entry("old");
    old.time -= std::chrono::milliseconds{1};
    store.append(std::vector{ahead, old, ahead, old, tests::entry("new")});
    CHECK_FALSE(store.trim({tests::noon, 100}).has_more);
    CHECK(cases_of(store) == Words{"ahead", "ahead", "new"});
    CHECK_FALSE(store.trim({tests::noon, 3}).has_more);
    CHECK(cases_of(store) == Words{"ahead", "new"}); // which are of the last three that came

    SQLite::Database database{folder.file("sixgate.db"), SQLite::OPEN_READWRITE};
    database.exec("WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number "
                  "WHERE n < 50000) INSERT INTO entry (time, case_id, domain) "
                  "SELECT time + 1000, 'many', '' FROM number, entry WHERE case_id = 'ahead'");
    store.append(std::vector(2, old));
    int turns = 1;
    for (; store.count({.case_id = "old"}) > 0 && turns < 10; ++turns) {
        CHECK_FALSE(store.trim({tests::noon, 1'000'000}).has_more);
    }
    CHECK(turns == 4);
    append_one(store, old);
    store.trim({tests::noon, 1'000'000});
    store.trim({tests::noon, 1'000'000});
    CHECK(store.count({.case_id = "old"}) == 1); // its turn comes
    store.trim({tests::noon, 1'000'000});
    CHECK(store.count({.case_id = "old"}) == 0);
    CHECK(store.count({.case_id = "many"}) == 50'000);
}

// When half of the entries go, pages are joined, and copies of the cells that stay are left behind.
TEST_CASE("of what is forgotten no copy is left that was made when others were") {
    const tests::SqliteScene scene;
    const auto daemon = scene.open(Access::write);
    constexpr int small_domains = 60;
    const auto domain_of = [](int number) {
        return "forget-" + std::to_string(number) + "-it.example";
    };
    std::vector<JournalEntry> entries;
    for (int i = 0; i < 1'000; ++i) {
        const int number = i % 2 == 0 ? 0 : 1 + i / 2 * 31 % small_domains;
        entries.push_back(entry_of("c" + std::to_string(i), domain_of(number)));
        entries.back().evidence.helo = "mail." + domain_of(number);
    }
    daemon->append(entries);
    const auto command = scene.open(Access::read);
    for (int number = 0; number <= small_domains; ++number) {
        const std::string domain = domain_of(number);
        CAPTURE(domain);
        const auto forgotten = command->forget(
            [&](const JournalEntry& entry) { return entry.evidence.mail_from_domain == domain; });
        CHECK(forgotten.entries > 0);
        CHECK(scene.octets().find(domain) == std::string::npos);
    }
}

TEST_CASE("who cannot forget wholly says so") {
    const tests::TemporaryFolder folder;
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    append_one(store, entry_of("a", "forget.example"));
    SQLite::Database reader{folder.file("sixgate.db")};
    reader.exec("BEGIN");
    reader.execAndGet("SELECT count(*) FROM entry");
    const auto forget = [&] { store.forget([](const JournalEntry&) { return true; }); };
    const std::string file = folder.file("sixgate.db");
    const std::string left = " entries were removed, but copies of what was removed may be left in "
                             "its files (it is being read): forget it again";
    CHECK(trouble_with(forget) == file + ": 1" + left);
    CHECK(cases_of(store).empty());
    CHECK(trouble_with(forget) == file + ": 0" + left);
    reader.exec("COMMIT");
    forget();
    CHECK(octets_in(folder).find("forget.example") == std::string::npos);
}

TEST_CASE("the files are their owner's alone") {
    const tests::TemporaryFolder folder;
    const mode_t before = umask(0);
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    append_one(store, tests::entry("a"));
    umask(before);
    for (const char* const name : {"sixgate.db", "sixgate.db-wal", "sixgate.db-shm"}) {
        CAPTURE(name);

        struct stat status {};

        REQUIRE(stat(folder.file(name).c_str(), &status) == 0);
        CHECK((status.st_mode & 0777U) == 0600U);
    }
}

TEST_CASE("readers make nothing") {
    const tests::TemporaryFolder folder;
    const std::string file = folder.file("sixgate.db");
    const auto read = [&file] { const SqliteStore store{file, Access::read}; };
    CHECK(trouble_with(read) == file + ": is not there yet: `sixgate run` makes it when it starts");
    CHECK_FALSE(std::filesystem::exists(file));
    write_file(file, "");
    CHECK(trouble_with(read).starts_with(file + ": is of schema version 0"));
    CHECK(std::filesystem::file_size(file) == 0);
}

TEST_CASE("trouble with the file is told with its name") {
    const tests::TemporaryFolder folder;
    const std::string file = folder.file("sixgate.db");
    const auto open = [&file](Access access) { const SqliteStore store{file, access}; };
    SUBCASE("no folder") {
        const std::string nowhere = folder.file("nowhere/sixgate.db");
        CHECK(trouble_with([&] {
                  const SqliteStore store{nowhere, Access::write};
              }).starts_with(nowhere + ": "));
    }
    SUBCASE("a folder") {
        std::filesystem::create_directory(file);
        CHECK(trouble_with([&] { open(Access::write); }).starts_with(file + ": "));
    }
    SUBCASE("not a database") {
        write_file(file, std::string(10'000, 'x'));
        CHECK(trouble_with([&] { open(Access::write); }) == file + ": file is not a database");
        CHECK(trouble_with([&] { open(Access::read); }) == file + ": file is not a database");
    }
    SUBCASE("damaged in the middle") {
        SqliteStore{file, Access::write}.append(std::vector(1'000, tests::entry("a")));
        std::fstream stream{file, std::ios::binary | std::ios::in | std::ios::out};
        stream.seekp(4096);
        stream << std::string(std::filesystem::file_size(file) - 4096, '\xa5');
        stream.close();
        SqliteStore store{file, Access::read};
        CHECK(trouble_with([&] { all_of(store); }).starts_with(file + ": "));
    }
    SUBCASE("locked by another process") {
        SqliteStore store{file, Access::write};
        SQLite::Database other{file, SQLite::OPEN_READWRITE};
        other.exec("BEGIN IMMEDIATE");
        CHECK(trouble_with([&] { append_one(store, tests::entry("a")); }) ==
              file + ": database is locked");
        other.exec("COMMIT");
        append_one(store, tests::entry("b"));
        CHECK(cases_of(store) == Words{"b"});
    }
    SUBCASE("taken away") {
        SqliteStore store{file, Access::write};
        append_one(store, tests::entry("a"));
        std::filesystem::remove(file);
        CHECK(trouble_with([&] { append_one(store, tests::entry("b")); }).starts_with(file + ": "));
    }
    SUBCASE("another in its place") {
        SqliteStore store{file, Access::write};
        append_one(store, tests::entry("a"));
        std::filesystem::rename(file, folder.file("old"));
        write_file(file, "");
        CHECK(trouble_with([&] { append_one(store, tests::entry("b")); }).starts_with(file + ": "));
    }
    SUBCASE("moved aside while somebody follows") {
        SqliteStore store{file, Access::write};
        append_one(store, tests::entry("a"));
        SqliteStore reader{file, Access::read};
        CHECK(cases_of(reader) == Words{"a"});
        std::filesystem::rename(file, folder.file("old"));
        CHECK(trouble_with([&] { all_of(reader); }) == file + ": was moved or removed");
        const SqliteStore another{file, Access::write};
        CHECK(trouble_with([&] { all_of(reader); }) == file + ": was moved or removed");
    }
}

TEST_CASE("entries that cannot be read are passed over, counted and told") {
    const tests::TemporaryFolder folder;
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    for (const char* const case_id : {"a", "b", "c", "d"}) {
        append_one(store, entry_of(case_id, std::string{case_id} + ".example"));
    }
    SQLite::Database database{folder.file("sixgate.db"), SQLite::OPEN_READWRITE};
    SUBCASE("details that are damaged") {
        database.exec("UPDATE details SET octets = x'00' WHERE id IN (1, 3)");
    }
    SUBCASE("no details") {
        database.exec("DELETE FROM details WHERE id IN (1, 3)");
    }
    SUBCASE("a client that is none") {
        database.exec("UPDATE entry SET client = x'00' WHERE id IN (1, 3)");
    }
    SUBCASE("even where the filter cannot tell") {
        database.exec("UPDATE details SET octets = x'00' WHERE id IN (1, 3)");
        const auto reading = store.read({.stage = "none"}, 0, [](const JournalEntry&) {});
        CHECK(reading.unreadable.entries == 2);
    }
    Words cases;
    const auto reading =
        store.read({}, 0, [&](const JournalEntry& entry) { cases.push_back(entry.case_id); });
    CHECK(cases == Words{"b", "d"});
    CHECK(reading.position == 4);
    CHECK(reading.unreadable.entries == 2);
    CHECK(reading.unreadable.trouble.starts_with("case a: the entry cannot be read: "));

    const auto forgotten = store.forget([](const JournalEntry& entry) {
        return entry.evidence.mail_from_domain == "a.example" || entry.case_id == "b";
    });
    CHECK(forgotten.entries == 2); // of a it is known who sent it
    CHECK(forgotten.unreadable.entries == 1);
    CHECK(forgotten.unreadable.trouble.starts_with("case c: the entry cannot be read: "));
    CHECK(octets_in(folder).find("a.example") == std::string::npos);
    store.trim({tests::noon, 1});
    CHECK(store.read({}, 0, [](const JournalEntry&) {}).unreadable.entries == 0);
    CHECK(cases_of(store) == Words{"d"});
}
