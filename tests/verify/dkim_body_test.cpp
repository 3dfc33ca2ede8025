#include "milter/verify/dkim_body.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
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

namespace {

// A body of few letters, so that line ends and white space meet in all ways, cut into pieces.
std::vector<std::string> random_pieces(std::mt19937& random) {
    static constexpr std::string_view letters = "ab \t\r\n\r\n";
    std::vector<std::string> pieces(random() % 5);
    for (auto& piece : pieces) {
        for (auto size = random() % 8; size > 0; --size) {
            piece += letters[random() % letters.size()];
        }
    }
    return pieces;
}

std::string body_of(const std::vector<std::string>& pieces) {
    return std::accumulate(pieces.begin(), pieces.end(), std::string{});
}

bool has_bare_cr(const std::string& body) {
    for (std::size_t i = 0; i + 1 < body.size(); ++i) {
        if (body[i] == '\r' && body[i + 1] != '\r' && body[i + 1] != '\n') {
            return true;
        }
    }
    return false;
}

bool has_bare_lf(const std::string& body) {
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i] == '\n' && (i == 0 || body[i - 1] != '\r')) {
            return true;
        }
    }
    return false;
}

// From the last end of a word in one piece to the first in a later one.
std::size_t longest_across(const std::vector<std::string>& pieces) {
    std::size_t longest = 0;
    std::size_t length = 0;
    for (const auto& piece : pieces) {
        bool has_end = false;
        for (std::size_t i = 0; i < piece.size(); ++i) {
            if (piece[i] == ' ' || piece[i] == '\t' || piece.substr(i, 2) == "\r\n") {
                longest = has_end ? longest : std::max(longest, length);
                has_end = true;
                length = 0;
            }
            ++length;
        }
        longest = has_end ? longest : std::max(longest, length);
    }
    return longest;
}

} // namespace

TEST_CASE("pieces of a body are read as the body is") {
    std::mt19937 random{1};
    for (int i = 0; i < 20000; ++i) {
        const auto pieces = random_pieces(random);
        BareOctets bare;
        LastWord word;
        for (const auto& piece : pieces) {
            bare.add(piece);
            word.add(piece);
        }
        CAPTURE(body_of(pieces));
        CHECK(bare.spoil(BodyCanonicalization::relaxed) == has_bare_cr(body_of(pieces)));
        CHECK(bare.spoil(BodyCanonicalization::simple) == has_bare_lf(body_of(pieces)));
        CHECK(word.longest() == longest_across(pieces));
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
