#include "milter/store/sqlite_store.hpp"
#include "policy/ascii.hpp"
#include "tests/store/entry_makers.hpp"
#include "tests/store/temporary_folder.hpp"
#include "tests/store/trouble.hpp"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using policy::JournalEntry;
using store::Access;
using store::SqliteStore;
using tests::trouble_with;
using tests::write_file;
using Words = std::vector<std::string>;

std::vector<JournalEntry> all_of(store::Store& store, const store::Filter& filter = {}) {
    std::vector<JournalEntry> entries;
    store.read(filter, 0, [&](const JournalEntry& entry) { entries.push_back(entry); });
    return entries;
}

Words cases_after(store::Store& store,
                  store::Store::Position& position,
                  const store::Filter& filter = {}) {
    Words cases;
    const auto reading = store.read(
        filter, position, [&](const JournalEntry& entry) { cases.push_back(entry.case_id); });
    position = reading.position;
    return cases;
}

Words cases_of(store::Store& store, const store::Filter& filter = {}) {
    store::Store::Position position = 0;
    return cases_after(store, position, filter);
}

JournalEntry entry_of(const std::string& case_id, const std::string& domain) {
    JournalEntry entry = tests::entry(case_id);
    entry.evidence.mail_from_domain = domain;
    entry.evidence.mail_from = domain.empty() ? "" : "user@" + domain;
    entry.evidence.spf_mail_from->domain = domain;
    return entry;
}

void append_one(store::Store& store, const JournalEntry& entry) {
    store.append({&entry, 1});
}

// Of every file in the folder.
std::string octets_in(const tests::TemporaryFolder& folder) {
    std::ostringstream all;
    for (const auto& file : std::filesystem::directory_iterator{folder.file("")}) {
        std::ifstream stream{file.path(), std::ios::binary};
        if (stream.peek() != std::ifstream::traits_type::eof()) {
            all << stream.rdbuf();
        }
    }
    return all.str();
}

} // namespace

TEST_CASE("what was appended is read again, whole and in order") {
    const tests::TemporaryFolder folder;
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    const std::vector entries{tests::entry("first"), tests::entry("second")};
    store.append(entries);
    CHECK(all_of(store) == entries);
}

TEST_CASE("a filter means the entries to which all of it applies") {
    const tests::TemporaryFolder folder;
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    std::vector<JournalEntry> entries{entry_of("a", "example.org"),
                                      entry_of("b", "Example.COM"),
                                      entry_of("c", ""),
                                      entry_of("d", "example.org")};
    entries[0].time = tests::noon - std::chrono::milliseconds{1};
    entries[1].evidence.client = policy::Address::parse("2001:db8:6::1");
    entries[2].evidence.client = std::nullopt;
    entries[2].verdict.reason = std::nullopt;
    entries[3].evidence.client = policy::Address::parse("192.0.2.1");
    entries[3].verdict.reason = policy::Reason::reverse_name_missing;
    entries[3].verdict.stage = "strict";
    store.append(entries);

    struct Case {
        const char* name;
        store::Filter filter;
        Words cases;
    };

    const auto prefix = [](const char* text) { return policy::Prefix::parse(text); };
    const std::vector<Case> cases{
        {"none", {}, {"a", "b", "c", "d"}},
        {"since, and that moment", {.since = tests::noon}, {"b", "c", "d"}},
        {"since later", {.since = tests::noon + std::chrono::milliseconds{1}}, {}},
        {"case", {.case_id = "c"}, {"c"}},
        {"no such case", {.case_id = "x' OR 1=1 --"}, {}},
        {"address", {.client = prefix("2001:db8:5::5")}, {"a"}},
        {"network", {.client = prefix("2001:db8::/32")}, {"a", "b"}},
        {"its last address", {.client = prefix("2001:db8:4::/47")}, {"a"}},
        {"network of IPv4", {.client = prefix("192.0.2.0/24")}, {"d"}},
        {"every address", {.client = prefix("::/0")}, {"a", "b", "d"}},
        {"domain, in any case", {.domain = "EXAMPLE.com"}, {"b"}},
        {"null path", {.domain = ""}, {"c"}},
        {"reason", {.reason = policy::Reason::reverse_name_missing}, {"d"}},
        {"stage", {.stage = "strict"}, {"d"}},
        {"two of them", {.since = tests::noon, .domain = "example.org"}, {"d"}},
        {"two that never meet", {.domain = "example.org", .stage = "none"}, {}},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            CHECK(cases_of(store, c.filter) == c.cases);
            CHECK(store.count(c.filter) >= c.cases.size());
        }
    }
    CHECK(store.count({}) == 4);
    CHECK(store.count({.domain = "example.org"}) == 2);
}

TEST_CASE("more than is read at a time is read in order, and each entry once") {
    const tests::TemporaryFolder folder;
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    std::vector<JournalEntry> entries;
    for (int i = 0; i < 2'500; ++i) {
        entries.push_back(tests::entry(std::to_string(i)));
        entries.back().verdict.stage = i == 0 || i == 2'345 ? "strict" : "default";
    }
    store.append(entries);
    CHECK(all_of(store) == entries);
    CHECK(cases_of(store, {.stage = "strict"}) == Words{"0", "2345"});
    const std::vector<JournalEntry> large(20, [] {
        JournalEntry entry = tests::entry("large");
        entry.evidence.recipients.assign(2'000, std::string(300, 'r'));
        return entry;
    }());
    store.append(large);
    CHECK(all_of(store).size() == entries.size() + large.size());
}

TEST_CASE("a reader that takes his time stands in nobody's way") {
    const tests::TemporaryFolder folder;
    SqliteStore daemon{folder.file("sixgate.db"), Access::write};
    daemon.append(std::vector(1'500, entry_of("a", "forget.example")));
    SqliteStore reader{folder.file("sixgate.db"), Access::read};
    std::size_t visited = 0;
    reader.read({}, 0, [&](const JournalEntry&) {
        if (++visited == 1) {
            SqliteStore command{folder.file("sixgate.db"), Access::read};
            CHECK(command.forget([](const JournalEntry&) { return true; }).entries == 1'500);
        }
    });
    CHECK(visited == 1'000); // what had been read when the others went
}

TEST_CASE("whoever follows sees each entry once") {
    const tests::TemporaryFolder folder;
    SqliteStore writer{folder.file("sixgate.db"), Access::write};
    SqliteStore reader{folder.file("sixgate.db"), Access::read};
    store::Store::Position position = 0;
    CHECK(cases_after(reader, position).empty());
    append_one(writer, tests::entry("a"));
    append_one(writer, tests::entry("b"));
    CHECK(cases_after(reader, position) == Words{"a", "b"});
    CHECK(cases_after(reader, position).empty());
    append_one(writer, tests::entry("c"));
    CHECK(cases_after(reader, position, {.case_id = "x"}).empty()); // and is past c
    CHECK(cases_after(reader, position).empty());
}

TEST_CASE("whoever follows misses nothing when all that was seen is removed") {
    const tests::TemporaryFolder folder;
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    store::Store::Position position = 0;
    append_one(store, tests::entry("a"));
    cases_after(store, position);
    CHECK(store.forget([](const JournalEntry&) { return true; }).entries == 1);
    store::Store::Position kept = position;
    append_one(store, tests::entry("b"));
    CHECK(cases_after(store, kept) == Words{"b"});
}

TEST_CASE("whoever follows from the end sees what comes") {
    const tests::TemporaryFolder folder;
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    CHECK(store.end() == 0);
    store.append(std::vector(3, tests::entry("a")));
    store::Store::Position position = store.end();
    append_one(store, tests::entry("b"));
    CHECK(cases_after(store, position) == Words{"b"});
    CHECK(position == store.end());
}

TEST_CASE("what is appended while somebody reads is left for the next time") {
    const tests::TemporaryFolder folder;
    SqliteStore writer{folder.file("sixgate.db"), Access::write};
    SqliteStore reader{folder.file("sixgate.db"), Access::read};
    append_one(writer, tests::entry("a"));
    append_one(writer, tests::entry("b"));
    Words cases;
    const auto reading = reader.read({}, 0, [&](const JournalEntry& entry) {
        append_one(writer, tests::entry("after " + entry.case_id));
        cases.push_back(entry.case_id);
    });
    CHECK(cases == Words{"a", "b"});
    store::Store::Position next = reading.position;
    CHECK(cases_after(reader, next) == Words{"after a", "after b"});
}

TEST_CASE("the oldest go when there are too many") {
    const tests::TemporaryFolder folder;
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    for (const char* const case_id : {"a", "b", "c", "d"}) {
        append_one(store, tests::entry(case_id));
    }
    CHECK_FALSE(store.trim({tests::noon, 4}).has_more);
    CHECK(store.count({}) == 4);
    CHECK_FALSE(store.trim({tests::noon, 3}).has_more);
    CHECK(cases_of(store) == Words{"b", "c", "d"});
    CHECK_FALSE(store.trim({tests::noon, 0}).has_more);
    CHECK(cases_of(store).empty());
}

TEST_CASE("entries go when they are too old") {
    const tests::TemporaryFolder folder;
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    JournalEntry entry = tests::entry("a");
    append_one(store, entry);
    entry = tests::entry("b");
    entry.time += std::chrono::milliseconds{1};
    append_one(store, entry);
    CHECK_FALSE(store.trim({tests::noon, 100}).has_more);
    CHECK(cases_of(store) == Words{"a", "b"});
    CHECK_FALSE(store.trim({entry.time, 100}).has_more);
    CHECK(cases_of(store) == Words{"b"});
    CHECK(SQLite::Database{folder.file("sixgate.db")}
              .execAndGet("SELECT count(*) FROM details")
              .getInt() == 1);
}

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

TEST_CASE("much is trimmed some at a time") {
    const tests::TemporaryFolder folder;
    SqliteStore store{folder.file("sixgate.db"), Access::write};
    store.append(std::vector(2'500, tests::entry("a")));
    int rounds = 1;
    for (; store.trim({tests::noon, 100}).has_more; ++rounds) {
    }
    CHECK(rounds == 3);
    CHECK(store.count({}) == 100);
}

TEST_CASE("of what is forgotten no octet is left in any file") {
    const tests::TemporaryFolder folder;
    SqliteStore daemon{folder.file("sixgate.db"), Access::write};
    // Entries of all lengths, so that pages are parted and joined.
    for (int i = 0; i < 20; ++i) {
        std::vector<JournalEntry> batch;
        for (int j = 0; j < 50; ++j) {
            const int number = (i * 50 + j) % 7;
            batch.push_back(
                entry_of("c" + std::to_string(i), "forget-" + std::to_string(number) + ".example"));
            const auto recipients = static_cast<std::size_t>((i * j) % 70);
            batch.back().evidence.recipients.assign(
                recipients, "friend@to-" + std::to_string(number) + ".example");
        }
        daemon.append(batch);
    }
    SqliteStore command{folder.file("sixgate.db"), Access::read};
    for (int number = 0; number < 7; ++number) {
        const std::string domain = "forget-" + std::to_string(number) + ".example";
        CHECK(octets_in(folder).find(domain) != std::string::npos);
        const auto forgotten = command.forget(
            [&](const JournalEntry& entry) { return entry.evidence.mail_from_domain == domain; });
        CHECK(forgotten.entries >= 1'000 / 7);
        CHECK(octets_in(folder).find(domain) == std::string::npos);
        CHECK(octets_in(folder).find("to-" + std::to_string(number) + ".example") ==
              std::string::npos);
        CHECK(command.count({.domain = domain}) == 0);
        append_one(daemon, entry_of("after", "kept.example"));
    }
    CHECK(command.count({}) == 7);
    CHECK(command.forget([](const JournalEntry&) { return false; }).entries == 0);
}

// When half of the entries go, pages are joined, and copies of the cells that stay are left behind.
TEST_CASE("of what is forgotten no copy is left that was made when others were") {
    const tests::TemporaryFolder folder;
    SqliteStore daemon{folder.file("sixgate.db"), Access::write};
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
    daemon.append(entries);
    SqliteStore command{folder.file("sixgate.db"), Access::read};
    for (int number = 0; number <= small_domains; ++number) {
        const std::string domain = domain_of(number);
        CAPTURE(domain);
        const auto forgotten = command.forget(
            [&](const JournalEntry& entry) { return entry.evidence.mail_from_domain == domain; });
        CHECK(forgotten.entries > 0);
        CHECK(octets_in(folder).find(domain) == std::string::npos);
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
