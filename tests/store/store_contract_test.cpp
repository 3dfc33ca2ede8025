// What every kind of store does alike.
#include "tests/store/entry_makers.hpp"
#include "tests/store/store_scenes.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using policy::JournalEntry;
using store::Access;
using tests::all_of;
using tests::append_one;
using tests::cases_after;
using tests::cases_of;
using tests::entry_of;
using tests::RedisScene;
using tests::SqliteScene;
using tests::Words;

// No two entries are alike.
std::vector<JournalEntry> many(std::size_t count, const JournalEntry& ordinary) {
    std::vector<JournalEntry> entries(count, ordinary);
    for (std::size_t i = 0; i < count; ++i) {
        entries[i].case_id += std::to_string(i);
    }
    return entries;
}

} // namespace

TEST_CASE_TEMPLATE("what was appended is read again, whole and in order",
                   Scene,
                   SqliteScene,
                   RedisScene) {
    const Scene scene;
    const auto store = scene.open(Access::write);
    const std::vector entries{tests::entry("first"), tests::entry("second")};
    store->append(entries);
    CHECK(all_of(*store) == entries);
}

TEST_CASE_TEMPLATE("a filter means the entries to which all of it applies",
                   Scene,
                   SqliteScene,
                   RedisScene) {
    const Scene scene;
    const auto store = scene.open(Access::write);
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
    store->append(entries);

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
            CHECK(cases_of(*store, c.filter) == c.cases);
            CHECK(store->count(c.filter) >= c.cases.size());
        }
    }
    CHECK(store->count({}) == 4);
}

TEST_CASE_TEMPLATE("more than is read at a time is read in order, and each entry once",
                   Scene,
                   SqliteScene,
                   RedisScene) {
    const Scene scene;
    const auto store = scene.open(Access::write);
    std::vector<JournalEntry> entries;
    for (int i = 0; i < 2'500; ++i) {
        entries.push_back(tests::entry(std::to_string(i)));
        entries.back().verdict.stage = i == 0 || i == 2'345 ? "strict" : "default";
    }
    store->append(entries);
    CHECK(all_of(*store) == entries);
    CHECK(cases_of(*store, {.stage = "strict"}) == Words{"0", "2345"});
    const auto large = many(20, [] {
        JournalEntry entry = tests::entry("large");
        entry.evidence.recipients.assign(2'000, std::string(300, 'r'));
        return entry;
    }());
    store->append(large);
    CHECK(all_of(*store).size() == entries.size() + large.size());
}

TEST_CASE_TEMPLATE("a reader that takes his time stands in nobody's way",
                   Scene,
                   SqliteScene,
                   RedisScene) {
    const Scene scene;
    const auto daemon = scene.open(Access::write);
    daemon->append(many(1'500, entry_of("a", "forget.example")));
    const auto reader = scene.open(Access::read);
    std::size_t visited = 0;
    reader->read({}, 0, [&](const JournalEntry&) {
        if (++visited == 1) {
            const auto command = scene.open(Access::read);
            CHECK(command->forget([](const JournalEntry&) { return true; }).entries == 1'500);
        }
    });
    CHECK(visited == 1'000); // what had been read when the others went
}

TEST_CASE_TEMPLATE("whoever follows sees each entry once", Scene, SqliteScene, RedisScene) {
    const Scene scene;
    const auto writer = scene.open(Access::write);
    const auto reader = scene.open(Access::read);
    store::Store::Position position = 0;
    CHECK(cases_after(*reader, position).empty());
    append_one(*writer, tests::entry("a"));
    append_one(*writer, tests::entry("b"));
    CHECK(cases_after(*reader, position) == Words{"a", "b"});
    CHECK(cases_after(*reader, position).empty());
    append_one(*writer, tests::entry("c"));
    CHECK(cases_after(*reader, position, {.case_id = "x"}).empty()); // and is past c
    CHECK(cases_after(*reader, position).empty());
}

TEST_CASE_TEMPLATE("whoever follows misses nothing when all that was seen is removed",
                   Scene,
                   SqliteScene,
                   RedisScene) {
    const Scene scene;
    const auto store = scene.open(Access::write);
    store::Store::Position position = 0;
    append_one(*store, tests::entry("a"));
    cases_after(*store, position);
    CHECK(store->forget([](const JournalEntry&) { return true; }).entries == 1);
    store::Store::Position kept = position;
    append_one(*store, tests::entry("b"));
    CHECK(cases_after(*store, kept) == Words{"b"});
}

TEST_CASE_TEMPLATE("whoever follows from the end sees what comes", Scene, SqliteScene, RedisScene) {
    const Scene scene;
    const auto store = scene.open(Access::write);
    CHECK(store->end() == 0);
    store->append(many(3, tests::entry("a")));
    store::Store::Position position = store->end();
    append_one(*store, tests::entry("b"));
    CHECK(cases_after(*store, position) == Words{"b"});
    CHECK(position == store->end());
}

TEST_CASE_TEMPLATE("what is appended while somebody reads is left for the next time",
                   Scene,
                   SqliteScene,
                   RedisScene) {
    const Scene scene;
    const auto writer = scene.open(Access::write);
    const auto reader = scene.open(Access::read);
    append_one(*writer, tests::entry("a"));
    append_one(*writer, tests::entry("b"));
    Words cases;
    const auto reading = reader->read({}, 0, [&](const JournalEntry& entry) {
        append_one(*writer, tests::entry("after " + entry.case_id));
        cases.push_back(entry.case_id);
    });
    CHECK(cases == Words{"a", "b"});
    store::Store::Position next = reading.position;
    CHECK(cases_after(*reader, next) == Words{"after a", "after b"});
}

TEST_CASE_TEMPLATE("the oldest go when there are too many", Scene, SqliteScene, RedisScene) {
    const Scene scene;
    const auto store = scene.open(Access::write);
    for (const char* const case_id : {"a", "b", "c", "d"}) {
        append_one(*store, tests::entry(case_id));
    }
    CHECK_FALSE(store->trim({tests::noon, 4}).has_more);
    CHECK(store->count({}) == 4);
    CHECK_FALSE(store->trim({tests::noon, 3}).has_more);
    CHECK(cases_of(*store) == Words{"b", "c", "d"});
    CHECK_FALSE(store->trim({tests::noon, 0}).has_more);
    CHECK(cases_of(*store).empty());
}

TEST_CASE_TEMPLATE("entries go when they are too old", Scene, SqliteScene, RedisScene) {
    const Scene scene;
    const auto store = scene.open(Access::write);
    JournalEntry entry = tests::entry("a");
    append_one(*store, entry);
    entry = tests::entry("b");
    entry.time += std::chrono::milliseconds{1};
    append_one(*store, entry);
    CHECK_FALSE(store->trim({tests::noon, 100}).has_more);
    CHECK(cases_of(*store) == Words{"a", "b"});
    CHECK_FALSE(store->trim({entry.time, 100}).has_more);
    CHECK(cases_of(*store) == Words{"b"});
}

TEST_CASE_TEMPLATE("much is trimmed some at a time", Scene, SqliteScene, RedisScene) {
    const Scene scene;
    const auto store = scene.open(Access::write);
    store->append(many(2'500, tests::entry("a")));
    int rounds = 1;
    for (; store->trim({tests::noon, 100}).has_more; ++rounds) {
    }
    CHECK(rounds == 3);
    CHECK(store->count({}) == 100);
}

TEST_CASE_TEMPLATE("of what is forgotten no octet is left in any file",
                   Scene,
                   SqliteScene,
                   RedisScene) {
    const Scene scene;
    const auto daemon = scene.open(Access::write);
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
        daemon->append(batch);
    }
    const auto command = scene.open(Access::read);
    for (int number = 0; number < 7; ++number) {
        const std::string domain = "forget-" + std::to_string(number) + ".example";
        CHECK(scene.octets().find(domain) != std::string::npos);
        const auto forgotten = command->forget(
            [&](const JournalEntry& entry) { return entry.evidence.mail_from_domain == domain; });
        CHECK(forgotten.entries >= 1'000 / 7);
        CHECK(scene.octets().find(domain) == std::string::npos);
        CHECK(scene.octets().find("to-" + std::to_string(number) + ".example") ==
              std::string::npos);
        CHECK(cases_of(*command, {.domain = domain}).empty());
        append_one(*daemon, entry_of("after " + domain, "kept.example"));
    }
    CHECK(command->count({}) == 7);
    CHECK(command->forget([](const JournalEntry&) { return false; }).entries == 0);
}
