#include "milter/store/redis_grace.hpp"
#include "milter/store/redis_store.hpp"
#include "tests/store/entry_makers.hpp"
#include "tests/store/redis_server.hpp"
#include "tests/store/store_scenes.hpp"
#include "tests/store/trouble.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using policy::JournalEntry;
using store::Access;
using store::RedisStore;
using tests::all_of;
using tests::append_one;
using tests::cases_of;
using tests::entry_of;
using tests::RedisServer;
using tests::trouble_with;
using tests::Words;

constexpr const char* journal = "{sixgate}:journal";

std::vector<JournalEntry> numbered(int first, int count) {
    std::vector<JournalEntry> entries;
    for (int i = first; i < first + count; ++i) {
        entries.push_back(tests::entry(std::to_string(i)));
    }
    return entries;
}

} // namespace

TEST_CASE("redis: what is appended again after trouble is there once") {
    RedisServer& server = tests::empty_redis_server();
    RedisStore store{server.access(), "", Access::write};
    const auto entries = numbered(0, 1'200); // more than one step
    store.append(std::span{entries}.first(700));
    store.append(entries); // as if the reply had been lost, and more had come meanwhile
    CHECK(all_of(store) == entries);
    store.append(std::span{entries}.first(300)); // one that was still on its way
    CHECK(all_of(store) == entries);
    append_one(store, tests::entry("after"));
    CHECK(store.end() == 1'201);
}

TEST_CASE("redis: positions grow by one, whatever the clocks say and whoever writes") {
    RedisServer& server = tests::empty_redis_server();
    RedisStore one{server.access(), "", Access::write};
    RedisStore other{server.access(), "", Access::write};
    JournalEntry ahead = tests::entry("ahead");
    ahead.time += std::chrono::days{400'000};
    append_one(one, ahead);
    append_one(other, tests::entry("b"));
    append_one(one, tests::entry("c"));
    CHECK(other.end() == 3);
    CHECK(cases_of(other) == Words{"ahead", "b", "c"});
}

TEST_CASE("redis: entries of a clock that ran ahead keep no others") {
    RedisServer& server = tests::empty_redis_server();
    RedisStore store{server.access(), "", Access::write};
    JournalEntry old = tests::entry("old");
    old.time -= std::chrono::milliseconds{1};
    store.append(numbered(0, 2'500));
    append_one(store, old);
    int turns = 0;
    while (cases_of(store, {.case_id = "old"}).size() == 1 && turns < 10) {
        store.trim({tests::noon, 1'000'000});
        ++turns;
    }
    CHECK(turns == 3); // a thousand each time
    CHECK(store.count({}) == 2'500);
}

TEST_CASE("redis: entries that cannot be read are passed over, counted and told") {
    RedisServer& server = tests::empty_redis_server();
    RedisStore store{server.access(), "", Access::write};
    append_one(store, entry_of("a", "a.example"));
    SUBCASE("other fields") {
        server.call({"XADD", journal, "0-*", "t", "1"});
    }
    SUBCASE("a time that is none") {
        server.call({"XADD", journal, "0-*", "t", "noon", "c", "b", "a", "", "d", "", "e", ""});
    }
    SUBCASE("a client that is none") {
        server.call({"XADD", journal, "0-*", "t", "1", "c", "b", "a", "x", "d", "", "e", ""});
    }
    SUBCASE("details that are damaged") {
        server.call({"XADD", journal, "0-*", "t", "1", "c", "b", "a", "", "d", "", "e", "\x01"});
    }
    append_one(store, entry_of("c", "c.example"));
    Words cases;
    const auto reading =
        store.read({}, 0, [&](const JournalEntry& entry) { cases.push_back(entry.case_id); });
    CHECK(cases == Words{"a", "c"});
    CHECK(reading.position == 3);
    CHECK(reading.unreadable.entries == 1);
    CHECK(reading.unreadable.trouble.find("the entry cannot be read: ") != std::string::npos);
    const auto forgotten =
        store.forget([](const JournalEntry& entry) { return entry.case_id == "a"; });
    CHECK(forgotten.entries == 1);
    CHECK(forgotten.unreadable.entries == 1);
    CHECK(cases_of(store) == Words{"c"});
}

TEST_CASE("redis: what comes while somebody forgets stays, and so do the positions") {
    RedisServer& server = tests::empty_redis_server();
    RedisStore daemon{server.access(), "", Access::write};
    RedisStore command{server.access(), "", Access::read};
    daemon.append(numbered(0, 1'600));
    bool has_come = false;
    const auto forgotten = command.forget([&](const JournalEntry& entry) {
        if (!has_come) {
            has_come = true;
            daemon.append(numbered(5'000, 700));
        }
        return entry.case_id != "800";
    });
    CHECK(forgotten.entries == 1'599);
    CHECK(daemon.count({}) == 701);
    CHECK(daemon.end() == 2'300);
    CHECK(command.forget([](const JournalEntry&) { return true; }).entries == 701);
    CHECK(daemon.end() == 2'300);
    append_one(daemon, tests::entry("next"));
    CHECK(daemon.end() == 2'301);
    CHECK(server.call({"KEYS", "{sixgate}:journal*"}).items.size() == 1);
}

TEST_CASE("redis: two do not forget at once, and a copy that was left behind goes") {
    RedisServer& server = tests::empty_redis_server();
    const std::string name = server.url() + ": ";
    RedisStore store{server.access(), "", Access::write};
    append_one(store, tests::entry("a"));
    const auto forget = [&] { store.forget([](const JournalEntry&) { return true; }); };
    server.call({"SET", "{sixgate}:journal:lock", "somebody"});
    server.call({"XADD", "{sixgate}:journal:copy", "0-1", "x", ""});
    CHECK(trouble_with(forget) ==
          name + "somebody else is forgetting something: forget it again in a minute");
    store.trim({tests::noon, 100});
    CHECK(server.call({"EXISTS", "{sixgate}:journal:copy"}).number == 1);
    server.call({"DEL", "{sixgate}:journal:lock"});
    store.trim({tests::noon, 100});
    CHECK(server.call({"EXISTS", "{sixgate}:journal:copy"}).number == 0);
    forget();
    CHECK(cases_of(store).empty());
}

TEST_CASE("redis: a journal that is not there, or of another version, is told") {
    RedisServer& server = tests::empty_redis_server();
    const std::string name = server.url() + ": ";
    const auto open = [&](Access access) {
        return trouble_with([&] { const RedisStore store{server.access(), "", access}; });
    };
    CHECK(open(Access::read) == name + "has no journal yet: `sixgate run` makes it when it starts");
    CHECK(server.call({"DBSIZE"}).number == 0);
    CHECK(open(Access::write).empty());
    CHECK(open(Access::read).empty());

    RedisStore store{server.access(), "", Access::write};
    append_one(store, tests::entry("a"));
    RedisStore reader{server.access(), "", Access::read};
    store::Store::Position position = reader.end();
    server.call({"HSET", "{sixgate}:about", "version", "7"});
    const std::string other =
        name + "is of schema version 7, and this sixgate knows version 1: another one writes to it";
    CHECK(open(Access::write) == other);
    CHECK(open(Access::read) == other);
    CHECK(trouble_with([&] { append_one(store, tests::entry("b")); }) == other);
    server.call({"FLUSHALL"});
    CHECK(trouble_with([&] { append_one(store, tests::entry("b")); }) ==
          name + "the journal was removed");
    CHECK(trouble_with([&] {
              tests::cases_after(reader, position);
          }).starts_with(name + "the journal ends before what was read"));
}

TEST_CASE("redis: hosts that hash by different keys are told") {
    RedisServer& server = tests::empty_redis_server();
    const auto open = [&](const std::string& key, Access access = Access::write) {
        return trouble_with([&] { const RedisStore store{server.access(), key, access}; });
    };
    CHECK(open("").empty());
    CHECK(open("~one").empty());
    CHECK(open("~one").empty());
    CHECK(open("~other").starts_with(
        server.url() + ": store.key is not the key by which the other hosts hash local parts"));
    CHECK(open("~other", Access::read).empty());
    CHECK(open("").empty());
}

TEST_CASE("redis: trouble with the server says what to do") {
    RedisServer& server = tests::empty_redis_server();
    const std::string name = server.url() + ": ";
    RedisStore store{server.access(), "", Access::write};
    append_one(store, tests::entry("a"));
    const auto append = [&] { append_one(store, tests::entry("b")); };
    std::string beginning;
    SUBCASE("a replica") {
        server.call({"REPLICAOF", "127.0.0.1", "1"});
        CHECK(cases_of(store) == Words{"a"}); // it may be read
        beginning = "it is a read-only replica: name the primary in store.url (READONLY ";
    }
    SUBCASE("a replica that has lost its primary") {
        server.call({"CONFIG", "SET", "replica-serve-stale-data", "no"});
        server.call({"REPLICAOF", "127.0.0.1", "1"});
        beginning = "it is a replica that has lost its primary";
    }
    SUBCASE("no memory left") {
        server.call({"CONFIG", "SET", "maxmemory", "1"});
        beginning = "it has no memory left: raise its maxmemory, or lower store.max_entries (OOM ";
    }
    SUBCASE("no replicas") {
        server.call({"CONFIG", "SET", "min-replicas-to-write", "1"});
        beginning = "it has too few replicas to write (min-replicas-to-write) (NOREPLICAS ";
    }
    SUBCASE("data of others") {
        server.call({"DEL", journal});
        server.call({"SET", journal, "x"});
        beginning = "somebody else's data is in the place of the journal: take another database "
                    "(WRONGTYPE ";
    }
    SUBCASE("a password is wanted now") {
        server.call({"CONFIG", "SET", "requirepass", "secret"});
        server.call({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
        beginning = "it wants a password: set store.password_file (NOAUTH ";
    }
    CHECK_MESSAGE(trouble_with(append).starts_with(name + beginning), trouble_with(append));
    server.call({"CONFIG", "SET", "replica-serve-stale-data", "yes"});
    server.empty();
}

TEST_CASE("redis: the manual's rights are enough") {
    RedisServer& server = tests::empty_redis_server();
    const tests::TemporaryFolder folder;
    const std::string password = folder.file("password");
    tests::write_file(password, "secret\n");
    std::filesystem::permissions(password, std::filesystem::perms{0640});
    server.call({"ACL",
                 "SETUSER",
                 "sixgate",
                 "on",
                 ">secret",
                 "~{sixgate}:*",
                 "+@read",
                 "+@write",
                 "+@scripting",
                 "+@connection"});
    const std::string url = "unix://sixgate@" + server.url().substr(7);
    const store::RedisAccess access{*store::parse_redis_url(url), password, ""};
    {
        RedisStore store{access, "", Access::write};
        store.append(numbered(0, 10));
        CHECK(store.trim({tests::noon, 9}).entries == 1);
        CHECK(store.forget([](const auto& entry) { return entry.case_id == "5"; }).entries == 1);
        CHECK(cases_of(store).size() == 8);
        store::RedisGraceLedger grace{access, Access::write};
        CHECK(grace.count({*policy::Address::parse("2001:db8::"), "a.example"},
                          tests::noon,
                          std::chrono::days{1}));
        CHECK(grace.forget([](const auto&) { return true; }) == 1);
    }
    server.call({"ACL", "SETUSER", "sixgate", "-@write"});
    CHECK(trouble_with([&] {
              const RedisStore store{access, "", Access::write};
          }).starts_with(url + ": its user may not do this: sixgate.toml(5) says what"));
    std::filesystem::permissions(password, std::filesystem::perms{0644});
    CHECK(trouble_with([&] {
              const RedisStore store{access, "", Access::write};
          }) == password + ": everybody can read the password of the store: chmod o= " + password);
    tests::write_file(password, "\n");
    std::filesystem::permissions(password, std::filesystem::perms{0600});
    CHECK(trouble_with([&] {
              const RedisStore store{access, "", Access::write};
          }) == password + ": has no password in its first line");
    server.call({"ACL", "DELUSER", "sixgate"});
}

TEST_CASE("redis: a server that is full is trimmed") {
    RedisServer& server = tests::empty_redis_server();
    RedisStore store{server.access(), "", Access::write};
    store.append(numbered(0, 10));
    server.call({"CONFIG", "SET", "maxmemory", "1"});
    CHECK(store.trim({tests::noon, 4}).entries == 6);
    CHECK(store.count({}) == 4);
    server.empty();
}

TEST_CASE("redis: nobody waits longer for a server than a second") {
    const RedisServer& server = tests::empty_redis_server();
    RedisStore store{server.access(), "", Access::write};
    server.stand_still();
    const auto began = std::chrono::steady_clock::now();
    const std::string trouble = trouble_with([&] { append_one(store, tests::entry("a")); });
    const auto took = std::chrono::steady_clock::now() - began;
    server.go_on();
    CHECK(trouble == server.url() + ": does not answer in time");
    CHECK(took >= std::chrono::milliseconds{900});
    CHECK(took < std::chrono::milliseconds{3'000}); // of a busy machine
    append_one(store, tests::entry("a"));
    append_one(store, tests::entry("b"));
    CHECK(cases_of(store) == Words{"a", "b"});
}

TEST_CASE("redis: a connection that the server closes while it is idle is no trouble") {
    RedisServer& server = tests::empty_redis_server();
    RedisStore store{server.access(), "", Access::write};
    append_one(store, tests::entry("a"));
    server.call({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    append_one(store, tests::entry("b"));
    CHECK(cases_of(store) == Words{"a", "b"});
}
