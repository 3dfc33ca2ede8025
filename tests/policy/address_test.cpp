#include "policy/address.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using policy::Address;
using policy::Prefix;

TEST_CASE("an address is read as the RFCs write it and printed as RFC 5952 asks") {
    struct Case {
        std::string text;
        std::string printed;
    };

    const std::vector<Case> cases{
        {"2001:db8::1", "2001:db8::1"},
        {"2001:0DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:c000:201", "192.0.2.1"},
        {"::", "::"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.text);
        const auto address = Address::parse(c.text);
        REQUIRE(address);
        CHECK(address->to_string() == c.printed);
    }
    for (const std::string text : {"",
                                   "2001:db8::1%lo",
                                   "[::1]",
                                   "192.0.2.256",
                                   "1.2.3",
                                   "::1 ",
                                   "2001:db8::1::2",
                                   "192.0.2.1:25"}) {
        CAPTURE(text);
        CHECK_FALSE(Address::parse(text));
    }
    CHECK_FALSE(Address::parse(std::string_view{"::1\0x", 5}));
}

TEST_CASE("a mapped address is the IPv4 address it maps") {
    CHECK(Address::parse("::ffff:192.0.2.1") == Address::from_ipv4({192, 0, 2, 1}));
    CHECK(Address::parse("::ffff:127.0.0.1")->is_loopback());
    CHECK(Address::parse("192.0.2.1")->is_ipv4());
    CHECK_FALSE(Address::parse("::192.0.2.1")->is_ipv4());
}

TEST_CASE("loopback, link-local and unspecified are told apart") {
    CHECK(Address::parse("::1")->is_loopback());
    CHECK_FALSE(Address::parse("::2")->is_loopback());
    CHECK(Address::parse("127.1.2.3")->is_loopback());
    CHECK(Address::parse("fe80::1")->is_link_local());
    CHECK(Address::parse("febf::1")->is_link_local());
    CHECK_FALSE(Address::parse("fec0::1")->is_link_local());
    CHECK(Address::parse("169.254.1.1")->is_link_local());
    CHECK(Address::parse("::")->is_unspecified());
}

TEST_CASE("the reverse name has a label for each nibble or octet") {
    CHECK(Address::parse("192.0.2.1")->reverse_name() == "1.2.0.192.in-addr.arpa");
    CHECK(Address::parse("2001:db8::4:567")->reverse_name() ==
          "7.6.5.0.4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST_CASE("a prefix contains what shares its bits") {
    const auto contains = [](const char* prefix, const char* address) {
        return Prefix::parse(prefix).value().contains(Address::parse(address).value());
    };
    CHECK(contains("2001:db8::/32", "2001:db8:ffff::1"));
    CHECK_FALSE(contains("2001:db8::/32", "2001:db9::1"));
    CHECK(contains("2001:db8::1", "2001:db8::1"));
    CHECK_FALSE(contains("2001:db8::1", "2001:db8::2"));
    CHECK(contains("192.0.2.0/25", "192.0.2.127"));
    CHECK_FALSE(contains("192.0.2.0/25", "192.0.2.128"));
    CHECK(contains("192.0.2.0/25", "::ffff:192.0.2.1"));
    CHECK(contains("::/0", "2001:db8::1"));
    CHECK(contains("0.0.0.0/0", "192.0.2.1"));
    CHECK_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
    CHECK(contains("2001:db8:8000::/33", "2001:db8:ffff::"));
    CHECK_FALSE(contains("2001:db8:8000::/33", "2001:db8:7fff::"));
}

TEST_CASE("a prefix is refused when its length is none") {
    for (const std::string text : {"2001:db8::/129",
                                   "192.0.2.0/33",
                                   "2001:db8::/",
                                   "2001:db8::/x",
                                   "2001:db8::/-1",
                                   "/64",
                                   "2001:db8::/ 64",
                                   "2001:db8::/064x"}) {
        CAPTURE(text);
        CHECK_FALSE(Prefix::parse(text));
    }
    CHECK(Prefix::parse("2001:db8::1/32")->has_host_bits());
    CHECK_FALSE(Prefix::parse("2001:db8::/32")->has_host_bits());
    CHECK(Prefix::parse("192.0.2.1/24")->has_host_bits());
    CHECK(Prefix::parse("192.0.2.0/24")->to_string() == "192.0.2.0/24");
    CHECK(Prefix::parse("2001:db8::/32")->to_string() == "2001:db8::/32");
    CHECK(Prefix::parse("2001:db8::7:1/61")->first() == Address::parse("2001:db8::"));
    CHECK(Prefix::parse("2001:db8::7:1/113")->first() == Address::parse("2001:db8::7:0"));
    CHECK(Prefix::parse("2001:db8::/61")->last() ==
          Address::parse("2001:db8::7:ffff:ffff:ffff:ffff"));
    CHECK(Prefix::parse("192.0.2.9/30")->first() == Address::parse("192.0.2.8"));
    CHECK(Prefix::parse("192.0.2.8/30")->last() == Address::parse("192.0.2.11"));
    CHECK(Prefix::parse("::/0")->last() ==
          Address::parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

TEST_CASE("network_of: the /64, and an IPv4 address alone") {
    const auto network = [](const char* text) {
        return policy::network_of(policy::Address::parse(text).value()).to_string();
    };
    CHECK(network("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    CHECK(network("192.0.2.1") == "192.0.2.1/32");
}
