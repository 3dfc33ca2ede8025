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
