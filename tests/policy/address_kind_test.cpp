#include "policy/address_kind.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

using policy::Address;
using policy::address_kind_of;
using policy::AddressKind;
using policy::converted_from;

namespace {

Address address(const char* text) {
    return Address::parse(text).value();
}

} // namespace

TEST_CASE("address_kind_of: networks that tell how an address came to be") {
    struct Case {
        const char* address;
        AddressKind kind;
    };

    const std::vector<Case> cases{
        {"2002:c000:201::1", AddressKind::six_to_four},
        {"2002::", AddressKind::six_to_four},
        {"2003::1", AddressKind::ordinary},
        {"2001:0:53aa:64c:2c63:9ab7:3f57:fef7", AddressKind::teredo},
        {"2001:1::1", AddressKind::ordinary},
        {"64:ff9b::192.0.2.33", AddressKind::nat64},
        {"64:ff9b::1:0:0", AddressKind::ordinary},
        {"64:ff9b:1::1", AddressKind::nat64},
        {"64:ff9b:1:ffff::1", AddressKind::nat64},
        {"64:ff9b:2::1", AddressKind::ordinary},
        {"::192.0.2.25", AddressKind::ipv4_compatible},
        {"::25", AddressKind::ipv4_compatible},
        {"::1:0:0:25", AddressKind::ordinary},
        {"::1", AddressKind::ordinary},
        {"::", AddressKind::ordinary},
        {"fc00::1", AddressKind::unique_local},
        {"fdff:ffff:ffff::1", AddressKind::unique_local},
        {"fe80::1", AddressKind::ordinary},
        {"fb00::1", AddressKind::ordinary},
        {"2001:db8::25", AddressKind::ordinary},
        {"192.0.2.25", AddressKind::ordinary},
        {"::ffff:192.0.2.25", AddressKind::ordinary},
    };
    for (const auto& c : cases) {
        CAPTURE(c.address);
        CHECK(address_kind_of(address(c.address)) == c.kind);
    }
}

TEST_CASE("address_kind_of: an interface identifier made from a hardware address") {
    CHECK(address_kind_of(address("2001:db8::211:22ff:fe33:4455")) == AddressKind::eui64);
    CHECK(address_kind_of(address("2001:db8::5054:ff:fe12:3456")) == AddressKind::eui64); // QEMU
    CHECK(address_kind_of(address("2001:db8::211:22ff:ff33:4455")) != AddressKind::eui64);
    CHECK(address_kind_of(address("2001:db8:0:ff:fe00::1")) == AddressKind::ordinary);
    CHECK(address_kind_of(address("2002:c000:201::211:22ff:fe33:4455")) ==
          AddressKind::six_to_four);
}

TEST_CASE("address_kind_of: what people and programs give to hosts does not look random") {
    for (const char* text : {"2001:db8::1",
                             "2001:db8::25:1",
                             "2001:db8:1:2:3:4:5:6",
                             "2001:db8::192:168:178:125",
                             "2001:db8::c0a8:b27d",
                             "2001:db8:9:8:1234:5678:9876:5432",
                             "2001:db8::2026:1122:1030:4759",
                             "2001:db8::dead:beef:cafe:babe",
                             "2001:db8::face:b00c:0:25de",
                             "2001:db8::a1b2:c3d4",
                             "2001:db8::1111:2222:3333:4444",
                             "2a00:1450:4864:20::636",
                             "2a01:111:f403:c001::1"}) {
        CAPTURE(text);
        CHECK(address_kind_of(address(text)) == AddressKind::ordinary);
    }
}

TEST_CASE("address_kind_of: what looks random") {
    for (const char* text : {"2001:db8::8c4b:1d2e:97af:60f3",
                             "2001:db8:1:2:a52c:7fe1:4d09:b386",
                             "2001:db8::91d3:4c7:eb56:20a8"}) {
        CAPTURE(text);
        CHECK(address_kind_of(address(text)) == AddressKind::temporary);
    }
}

TEST_CASE("address_kind_of: 96 of 100 random identifiers are told") {
    std::mt19937 random{1}; // NOLINT(cert-msc32-c,cert-msc51-cpp): the same at each run
    std::uniform_int_distribution<unsigned> octets{0, 255};
    constexpr int count = 10'000;
    int told = 0;
    for (int i = 0; i < count; ++i) {
        Address::Bytes bytes = address("2001:db8::").bytes();
        for (std::size_t place = 8; place < bytes.size(); ++place) {
            bytes.at(place) = static_cast<std::uint8_t>(octets(random));
        }
        told += address_kind_of(Address{bytes}) == AddressKind::temporary ? 1 : 0;
    }
    CHECK(told >= count * 96 / 100);
}

TEST_CASE("converted_from: AAAA records made from an IPv4 address") {
    for (const char* text : {"::192.0.2.25",
                             "::ffff:192.0.2.25",
                             "2002:c000:219::",
                             "2002:c000:219::c000:219",
                             "64:ff9b::192.0.2.25"}) {
        CAPTURE(text);
        CHECK(converted_from(address(text)) == address("192.0.2.25"));
    }
    for (const char* text : {"2001:db8::c000:219",
                             "2001:db8::192:0:2:25",
                             "64:ff9b:1::c000:219",
                             "64:ff9b::1:c000:219",
                             "64:ff9b::25",
                             "::1:c000:219",
                             "::25",
                             "::1",
                             "::"}) {
        CAPTURE(text);
        CHECK(converted_from(address(text)) == std::nullopt);
    }
}
