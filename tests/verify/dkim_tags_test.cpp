#include "milter/verify/dkim_tags.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using verify::count_in_list;
using verify::parse_tag_list;

TEST_CASE("a tag list is read without its white space") {
    const auto list = parse_tag_list(" v = 1 ;\r\n\td=example .org; b=ab\n\tcd== ; empty= ;");
    CHECK(list.problem.empty());
    CHECK(list.value_of("v") == "1");
    CHECK(list.value_of("d") == "example.org");
    CHECK(list.value_of("b") == "abcd==");
    CHECK(list.find("empty") == "");
    CHECK_FALSE(list.find("D"));
    CHECK(list.value_of("x").empty());
}

TEST_CASE("what is no tag list") {
    using namespace std::string_literals;
    const std::vector<std::string> lists{
        "v=1; d",
        "v=1; =x",
        "v=1;; d=x",
        "; v=1",
        "v=1; d=x; d=y",
        "v=1; d=x; D=y",
        "v=1; d e=x",
        "v=1; d=caf\xc3",
        "v=1; d=x\0y"s,
        "v=1; d=x\x07",
        "v=1; \xc3\xa9=x",
        "v=1; d=x; -a=b",
        "v=1; d=x; 1a=b",
        "v=1; d=x;\x0b",
    };
    for (const auto& text : lists) {
        CAPTURE(text);
        const auto list = parse_tag_list(text);
        CHECK_FALSE(list.problem.empty());
        CHECK(list.value_of("v") == "1");
    }
    CHECK(parse_tag_list("").problem.empty());
    CHECK(parse_tag_list(" \r\n\t").tags.empty());
}

TEST_CASE("items of a list") {
    CHECK(count_in_list("from:to:FROM", "From") == 2);
    CHECK(count_in_list("", "from") == 0);
    CHECK(count_in_list("fromage:from", "from") == 1);
    CHECK(count_in_list(":::", "from") == 0);
    CHECK(count_in_list("y", "y") == 1);
}
