#include "milter/verify/dns_name.hpp"
#include "tests/verify/dns_packet.hpp"

#include <doctest/doctest.h>

#include <string>

using tests::labels;
using tests::Octets;
using verify::presentation;
using verify::wire_name;

namespace {

std::string wire(std::initializer_list<std::string_view> parts) {
    const Octets octets = labels(parts);
    return {octets.begin(), octets.end()};
}

} // namespace

TEST_CASE("wire_name and presentation: the same name in two forms") {
    struct Case {
        const char* name;
        const char* text;
        std::string octets;
    };

    const std::vector<Case> cases{
        {"ordinary", "mail.example.org", wire({"mail", "example", "org"})},
        {"case is kept", "Mail.Example", wire({"Mail", "Example"})},
        {"a dot inside a label", "a\\.b.org", wire({"a.b", "org"})},
        {"a backslash at its end", "a\\\\.org", wire({"a\\", "org"})},
        {"a space", "a\\032b", wire({"a b"})},
        {"eight bits", "\\195\\164.org", wire({"\xc3\xa4", "org"})},
        {"a zero octet", "a\\000.org", wire({{"a\0", 2}, "org"})},
        {"what master files quote needs no quoting", "a@$;(\".org", wire({"a@$;(\"", "org"})},
        {"the root", ".", wire({})},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            const auto name = wire_name(c.text);
            REQUIRE(name);
            CHECK(name->octets == c.octets);
            CHECK(presentation(*name) == c.text);
        }
    }
}

TEST_CASE("wire_name: texts that mean the same") {
    CHECK(wire_name("a.org.") == wire_name("a.org"));
    CHECK(wire_name("") == wire_name("."));
    CHECK(wire_name("\\097.org") == wire_name("a.org"));
    CHECK(wire_name("a b") == wire_name("a\\032b"));
    CHECK(lower_case(*wire_name("MAIL.Org")) == *wire_name("mail.org"));
}

TEST_CASE("wire_name: what is no name") {
    const std::string label(63, 'a');
    const std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'a');
    CHECK(wire_name(label));
    CHECK(wire_name(longest));
    CHECK(longest.size() == 253);
    CHECK_FALSE(wire_name(label + 'a'));
    CHECK_FALSE(wire_name(longest + 'a'));
    CHECK_FALSE(wire_name(std::string(100000, 'a')));
    CHECK_FALSE(wire_name("a..org"));
    CHECK_FALSE(wire_name(".org"));
    CHECK_FALSE(wire_name(".."));
    CHECK_FALSE(wire_name("a\\"));
    CHECK_FALSE(wire_name("a\\256"));
    CHECK_FALSE(wire_name("a\\25x"));
    CHECK_FALSE(wire_name({"a\0b", 3}));
}

TEST_CASE("name_in: only what is whole") {
    Octets message = tests::name_octets("example.org");
    const auto start = message.size();
    tests::append(message, {4, 'm', 'a', 'i', 'l', 0xc0, 0});
    const auto found = verify::name_in(message, start);
    REQUIRE(found);
    CHECK(presentation(found->name) == "mail.example.org");
    CHECK(found->length == 7);
    CHECK_FALSE(verify::name_in(message, message.size()));
    CHECK_FALSE(verify::name_in(message, message.size() + 1));
    message.pop_back();
    CHECK_FALSE(verify::name_in(message, start));
    CHECK_FALSE(verify::name_in(Octets{0xc0, 0}, 0));
    CHECK_FALSE(verify::name_in(Octets{0xc0, 2, 0xc0, 0}, 0));
    CHECK_FALSE(verify::name_in(Octets{1, 'a', 0xc0, 0}, 0));
    CHECK_FALSE(verify::name_in(Octets{0x80, 0}, 0));
    CHECK_FALSE(verify::name_in(Octets{0xc0, 9}, 0));
}
