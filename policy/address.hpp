// IP addresses and prefixes as values. An IPv4-mapped IPv6 address is the IPv4 address it maps,
// however the MTA wrote it, so that nobody has to remember the difference.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace policy {

class Address {
public:
    using Bytes = std::array<std::uint8_t, 16>; // network order; IPv4 as ::ffff:a.b.c.d

    constexpr Address() = default; // ::

    constexpr explicit Address(const Bytes& bytes) : bytes_{bytes} {}

    // Text of RFC 4291 section 2.2 or a dotted quad, without brackets, port or zone.
    static std::optional<Address> parse(std::string_view text);
    static Address from_ipv4(const std::array<std::uint8_t, 4>& octets);

    const Bytes& bytes() const { return bytes_; }

    bool is_ipv4() const; // also when it was written as ::ffff:0:0/96
    bool is_loopback() const;
    bool is_link_local() const;
    bool is_unspecified() const;

    // RFC 5952 for IPv6, a dotted quad for IPv4.
    std::string to_string() const;
    // The owner name of the PTR record, with 32 nibbles or 4 octets, without a final dot.
    std::string reverse_name() const;

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a 0 where ranges compare by it
    friend constexpr auto operator<=>(const Address&, const Address&) = default;

private:
    Bytes bytes_{};
};

struct Prefix {
    Address address;
    unsigned length = 128; // of the 128 bits, also for IPv4: 192.0.2.0/24 is 120

    // An address with or without "/LENGTH"; without one it is that address alone.
    static std::optional<Prefix> parse(std::string_view text);

    bool contains(const Address& other) const;
    bool has_host_bits() const; // 2001:db8::1/32: almost always a slip
    Address first() const;      // the lowest address that it contains
    Address last() const;       // the highest one
    std::string to_string() const;

    friend bool operator==(const Prefix&, const Prefix&) = default;
};

// What counts as one network: the /64 of an IPv6 address, an IPv4 address alone.
Prefix network_of(const Address& address);

} // namespace policy
