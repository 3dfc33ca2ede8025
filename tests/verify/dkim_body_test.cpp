#include "milter/verify/dkim_body.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using verify::BareOctets;
using verify::BodyCanonicalization;
using verify::CanonicalLength;
using verify::LastWord;

TEST_CASE("the canonical length of a body") {
    struct Case {
        std::string body;
        std::uint64_t simple;
        std::uint64_t relaxed;
    };

    const std::vector<Case> cases{
        {"", 2, 0},
        {"\r\n", 2, 0},
        {"\r\n\r\n\r\n", 2, 0},
        {" \t\r\n", 4, 0},
        {"a\r\n", 3, 3},
        {"a\r\n\r\n\r\n", 3, 3},
        {"\r\n\r\na\r\n", 7, 7},
        {"a \t b \r\n", 8, 5},
        {" a\r\n", 4, 4},
        {"a\r\n \r\nb\r\n \r\n", 12, 8},
        {"a\rb\r\n", 5, 5},
        {"a\nb\r\n", 5, 5},
        {"a\r\r\n", 4, 4},
        // RFC 6376 section 3.4.5
        {" C \r\nD \t E\r\n\r\n\r\n", 12, 9},
    };
    for (const auto& c : cases) {
        CanonicalLength simple{BodyCanonicalization::simple};
        CanonicalLength relaxed{BodyCanonicalization::relaxed};
        for (const char octet : c.body) {
            simple.add({&octet, 1});
        }
        relaxed.add(c.body);
        CAPTURE(c.body);
        CHECK(simple.octets() == c.simple);
        CHECK(relaxed.octets() == c.relaxed);
    }
}

TEST_CASE("the longest stretch without white space") {
    const auto longest = [](const std::vector<std::string>& pieces) {
        LastWord word;
        for (const auto& piece : pieces) {
            word.add(piece);
        }
        return word.longest();
    };
    CHECK(longest({}) == 0);
    CHECK(longest({"abc", "def"}) == 6);
    CHECK(longest({"abc ", "def"}) <= 4);
    CHECK(longest({"abc\r\n", "\n\r\n\r"}) <= 5);
    CHECK(longest({"a\nb", "\nc"}) == 5);
    CHECK(longest({"abcdefgh", "i\tj", "k"}) == 9);
}

TEST_CASE("a CR or an LF that ends no line") {
    struct Case {
        std::vector<std::string> pieces;
        bool spoils_simple;
        bool spoils_relaxed;
    };

    const std::vector<Case> cases{
        {{}, false, false},
        {{"a\r\nb\r\n"}, false, false},
        {{"a\r", "\nb\r\n"}, false, false},
        {{"a\r\r\nb\r\n"}, false, false},
        {{"a\nb\r\n"}, true, false},
        {{"a", "\nb\r\n"}, true, false},
        {{"a\rb\r\n"}, false, true},
        {{"a \r", "b\r\n"}, false, true},
        {{"a\r b\n\r\n"}, true, true},
    };
    for (const auto& c : cases) {
        BareOctets bare;
        for (const auto& piece : c.pieces) {
            bare.add(piece);
        }
        CHECK(bare.spoil(BodyCanonicalization::simple) == c.spoils_simple);
        CHECK(bare.spoil(BodyCanonicalization::relaxed) == c.spoils_relaxed);
    }
}
