#include "policy/template_text.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("template_text: names are filled in once, and braces written twice") {
    const auto value_of = [](std::string_view name) { return "<" + std::string{name} + "{a}>"; };
    CHECK(policy::filled_in("a {b} {{c}} {d}", value_of) == "a <b{a}> {c} <d{a}>");
    CHECK(policy::filled_in("", value_of).empty());
}

TEST_CASE("template_text: what is wrong") {
    const auto is_known = [](std::string_view name) { return name == "a"; };
    CHECK_FALSE(policy::fault_in_braces("{a}{{b}} }} {{", is_known));
    CHECK(policy::fault_in_braces("{a} {b}", is_known) == "there is no placeholder {b}");
    for (const char* const text : {"{a", "a}", "{", "}", "{a}}"}) {
        CAPTURE(text);
        CHECK(policy::fault_in_braces(text, is_known));
    }
}
