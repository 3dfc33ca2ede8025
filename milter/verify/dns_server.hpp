// Where a DNS server listens.
#pragma once

#include "policy/address.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace verify {

struct DnsServer {
    policy::Address address;
    std::uint16_t port = 53;

    // "127.0.0.1", "127.0.0.1:53", "::1", "[::1]" or "[::1]:53".
    static std::optional<DnsServer> parse(std::string_view text);

    std::string to_string() const; // with the port

    friend bool operator==(const DnsServer&, const DnsServer&) = default;
};

} // namespace verify
