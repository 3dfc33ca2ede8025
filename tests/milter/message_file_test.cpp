#include "milter/message_file.hpp"

#include <doctest/doctest.h>

#include <string>

using milter::parse_message;

TEST_CASE("a message is cut as an MTA would cut it") {
    const auto message = parse_message("A: 1\r\nB:2\r\n\tfolded\r\n\r\nline\r\nlast");
    REQUIRE(message.fields.size() == 2);
    CHECK(message.fields[0] == std::pair<std::string, std::string>{"A", " 1"});
    CHECK(message.fields[1] == std::pair<std::string, std::string>{"B", "2\n\tfolded"});
    CHECK(message.body == "line\r\nlast\r\n");
    CHECK(parse_message("A: 1\n\nline\n").body == "line\r\n");
    CHECK(parse_message("From a@b Mon Jan 1\nA: 1\n").fields.size() == 1);
}

TEST_CASE("what is no field ends the header") {
    CHECK(parse_message("").fields.empty());
    CHECK(parse_message("\nbody").body == "body\r\n");
    CHECK(parse_message("no colon here\n").fields.empty());
    CHECK(parse_message("no colon here\n").body == "no colon here\r\n");
    CHECK(parse_message("A: 1\nwith space: 2\n").fields.size() == 1);
    CHECK(parse_message(": empty name\n").fields.empty());
    CHECK(parse_message(" fold of nothing\n").fields.empty());
}
