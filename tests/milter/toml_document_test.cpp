#include "milter/toml_document.hpp"

#include <doctest/doctest.h>

using namespace milter;

TEST_CASE("toml document: every key in the order of the text, with its place") {
    const auto entries =
        read_toml("[dns]\n  timeout_ms = 3000\n[a.b]\nz = [1,\n 'x']\ny.c = true\n");
    REQUIRE(entries.has_value());
    std::vector<std::string> keys;
    for (const auto& entry : *entries) {
        keys.push_back(entry.key());
    }
    CHECK(keys == std::vector<std::string>{
                      "dns", "dns.timeout_ms", "a", "a.b", "a.b.z", "a.b.y", "a.b.y.c"});
    CHECK(entries->at(0).value.kind == kind_table);
    CHECK(entries->at(1).place == Place{2, 3});
    CHECK(entries->at(1).value.place == Place{2, 16});
    CHECK(std::get<std::int64_t>(entries->at(1).value.content) == 3000);
    CHECK(std::get<bool>(entries->at(6).value.content));

    const auto& items = entries->at(4).value.items;
    REQUIRE(items.has_value());
    REQUIRE(items->size() == 2);
    CHECK(items->at(1).place == Place{5, 2});
    CHECK(std::get<std::string>(items->at(1).content) == "x");
}

TEST_CASE("toml document: kinds that no setting has keep their name") {
    const auto entries =
        read_toml("a = 1.5\nb = 2026-01-01\nc = 12:00:00\nd = 2026-01-01T12:00:00Z");
    REQUIRE(entries.has_value());
    CHECK(entries->at(0).value.kind == "a number with a fraction");
    CHECK(entries->at(1).value.kind == "a date");
    CHECK(entries->at(2).value.kind == "a time of day");
    CHECK(entries->at(3).value.kind == "a date and time");
}

TEST_CASE("toml document: a moment has an offset") {
    using namespace std::chrono_literals;
    const auto entries = read_toml("a = 2027-01-31T08:00:00+01:30\nb = 2027-01-31T08:00:00.25Z\n"
                                   "c = 2024-02-29T00:00:00-12:00\nd = 2027-01-31T08:00:00\n");
    REQUIRE(entries.has_value());
    const auto moment = [&](std::size_t i) {
        return std::get<Moment>(entries->at(i).value.content);
    };
    const auto day = std::chrono::sys_days{std::chrono::year{2027} / 1 / 31};
    CHECK(moment(0) == day + 6h + 30min);
    CHECK(moment(1) == day + 8h + 250ms);
    CHECK(moment(2) == std::chrono::sys_days{std::chrono::year{2024} / 2 / 29} + 12h);
    CHECK(entries->at(3).value.kind == "one without an offset");
    CHECK_FALSE(read_toml("a = 2027-02-29T08:00:00Z").has_value());
    CHECK_FALSE(read_toml("a = 2027-01-31T25:00:00Z").has_value());
}

TEST_CASE("toml document: tables of an array are told apart by their name, or by their number") {
    const auto entries = read_toml("[[stage]]\nname = 'a'\n[stage.reply.closed]\nsoft = 1\n"
                                   "[[stage]]\nmode = 2\n[[stage]]\nname = 'b c'\n"
                                   "[[stage.deep]]\nx = 1\n");
    REQUIRE(entries.has_value());
    std::vector<std::string> keys;
    for (const auto& entry : *entries) {
        keys.push_back(entry.key());
    }
    CHECK(keys == std::vector<std::string>{"stage[a]",
                                           "stage[a].name",
                                           "stage[a].reply",
                                           "stage[a].reply.closed",
                                           "stage[a].reply.closed.soft",
                                           "stage[2]",
                                           "stage[2].mode",
                                           "stage[3]",
                                           "stage[3].name",
                                           "stage[3].deep"});
    CHECK(entries->at(5).place == Place{5, 1});
    CHECK(entries->at(5).element.number == 2);
    CHECK(entries->at(6).element.name.empty());
    CHECK(entries->back().value.kind == "an array");

    const auto mixed = read_toml("stage = [{name = 'a'}, 1]\n");
    REQUIRE(mixed.has_value());
    CHECK(mixed->size() == 1);
    CHECK(mixed->front().value.kind == "an array");
}

TEST_CASE("toml document: line ends, a byte order mark and an empty text are no trouble") {
    CHECK(read_toml("").value().empty());
    CHECK(read_toml("\xef\xbb\xbf"
                    "a = 1\r\n# \u00e9\r\n")
              .value()
              .size() == 1);
    CHECK_FALSE(read_toml("a = 1\rb = 2").has_value());
}

TEST_CASE("toml document: depth is bounded before the stack is") {
    std::string deep = "a";
    for (int i = 0; i < 500'000; ++i) {
        deep += ".a";
    }
    CHECK_FALSE(read_toml(deep + " = 1").has_value());
    CHECK_FALSE(read_toml("a = " + std::string(100'000, '[')).has_value());
    CHECK(read_toml(deep.substr(0, 1'000) + "a = 1").has_value());
}
