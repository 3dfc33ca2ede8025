#include "milter/text_table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using milter::Cut;
using milter::Terminal;

namespace {

using Lines = std::vector<std::string>;

constexpr Terminal pipe_of(std::size_t columns) {
    return {columns, false, false};
}

constexpr Terminal utf8{80, true, true};

milter::TextTable table() {
    milter::TextTable table{{milter::names("domain", 10),
                             milter::numbers("messages"),
                             milter::if_room(milter::words("kind")),
                             milter::sentences("found", 8)}};
    table.add({"mail.example.org", "12", "list", "no PTR record"});
    table.add({"example.net", "1,200", "direct", "none"});
    return table;
}

} // namespace

TEST_CASE("TextTable: columns are as wide as what is in them") {
    CHECK(table().lines(pipe_of(80), 2) ==
          Lines{"  domain            messages  kind    found",
                "  mail.example.org        12  list    no PTR record",
                "  example.net          1,200  direct  none"});
}

TEST_CASE("TextTable: the widest is cut first") {
    CHECK(table().lines(pipe_of(44), 0) == Lines{"domain        messages  kind    found",
                                                 "mail.....org        12  list    no PTR re...",
                                                 "example.net      1,200  direct  none"});
}

TEST_CASE("TextTable: a column goes where cutting is not enough") {
    CHECK(table().lines(pipe_of(30), 0) == Lines{"domain      messages  found",
                                                 "mail...org        12  no PT...",
                                                 "exam...net     1,200  none"});
}

TEST_CASE("cut_to: says that it has cut, and where") {
    CHECK(milter::cut_to("example.org", 11, Cut::end, utf8) == "example.org");
    CHECK(milter::cut_to("mail.example.org", 9, Cut::middle, utf8) == "mail….org");
    CHECK(milter::cut_to("mail.example.org", 9, Cut::end, utf8) == "mail.exa…");
    CHECK(milter::cut_to("mail.example.org", 9, Cut::middle, pipe_of(80)) == "mai...org");
    CHECK(milter::cut_to("mail.example.org", 2, Cut::middle, pipe_of(80)) == "ma");
}

TEST_CASE("bar: what is not nothing shows") {
    CHECK(milter::bar(0, 10, pipe_of(80)).empty());
    CHECK(milter::bar(0.001, 10, pipe_of(80)) == "#");
    CHECK(milter::bar(0.5, 10, pipe_of(80)) == "#####");
    CHECK(milter::bar(1, 10, pipe_of(80)) == "##########");
    CHECK(milter::bar(2, 10, pipe_of(80)) == "##########");
    CHECK(milter::bar(0.001, 10, utf8) == "▏");
    CHECK(milter::bar(0.25, 10, utf8) == "██▌");
}

TEST_CASE("columns_of: counts characters") {
    CHECK(milter::columns_of("abc") == 3);
    CHECK(milter::columns_of("██▌") == 3);
}

TEST_CASE("bold: in a terminal alone") {
    CHECK(milter::bold("Why", pipe_of(80)) == "Why");
    CHECK(milter::bold("Why", utf8) == "\033[1mWhy\033[0m");
}
