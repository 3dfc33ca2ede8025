#include "policy/address_kind.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <utility>

namespace policy {

namespace {

constexpr Address::Bytes beginning_with(std::uint64_t first_half) {
    Address::Bytes bytes{};
    for (std::size_t i = 0; i < 8; ++i) {
        bytes.at(i) = static_cast<std::uint8_t>(first_half >> (56U - 8U * i));
    }
    return bytes;
}

constexpr Prefix six_to_four{Address{beginning_with(0x2002'0000'0000'0000)}, 16};
constexpr Prefix teredo{Address{beginning_with(0x2001'0000'0000'0000)}, 32};
constexpr Prefix nat64{Address{beginning_with(0x0064'ff9b'0000'0000)}, 96};
constexpr Prefix local_nat64{Address{beginning_with(0x0064'ff9b'0001'0000)}, 48};
constexpr Prefix ipv4_compatible{Address{}, 96};
constexpr Prefix unique_local{Address{beginning_with(0xfc00'0000'0000'0000)}, 7};

constexpr auto networks = std::to_array<std::pair<Prefix, AddressKind>>({
    {six_to_four, AddressKind::six_to_four},
    {teredo, AddressKind::teredo},
    {nat64, AddressKind::nat64},
    {local_nat64, AddressKind::nat64},
    {ipv4_compatible, AddressKind::ipv4_compatible},
    {unique_local, AddressKind::unique_local},
});

constexpr std::size_t interface_begin = 8; // octets

bool is_eui64(const Address::Bytes& bytes) {
    return bytes[interface_begin + 3] == 0xff && bytes[interface_begin + 4] == 0xfe;
}

bool looks_random(const Address::Bytes& bytes) {
    bool has_empty_group = false;
    unsigned low_groups = 0;
    std::bitset<16> digits;
    for (std::size_t i = interface_begin; i < bytes.size(); i += 2) {
        const unsigned group = bytes.at(i) * 0x100U + bytes.at(i + 1);
        has_empty_group = has_empty_group || group == 0;
        low_groups += group < 0x1000 ? 1U : 0U;
        for (const unsigned shift : {0U, 4U, 8U, 12U}) {
            digits.set(group >> shift & 0xfU);
        }
    }
    const bool has_letter = (digits >> 10U).any();
    return !has_empty_group && low_groups <= 1 && digits.count() >= 8 && has_letter;
}

Address ipv4_at(const Address& address, std::size_t place) {
    std::array<std::uint8_t, 4> octets{};
    std::copy_n(address.bytes().begin() + static_cast<std::ptrdiff_t>(place), 4, octets.begin());
    return Address::from_ipv4(octets);
}

} // namespace

AddressKind address_kind_of(const Address& address) {
    if (address.is_ipv4() || address.is_loopback() || address.is_unspecified()) {
        return AddressKind::ordinary;
    }
    const auto* const found = std::ranges::find_if(
        networks, [&](const auto& network) { return network.first.contains(address); });
    if (found != networks.end()) {
        return found->second;
    }
    if (is_eui64(address.bytes())) {
        return AddressKind::eui64;
    }
    return looks_random(address.bytes()) ? AddressKind::temporary : AddressKind::ordinary;
}

std::optional<Address> converted_from(const Address& aaaa) {
    if (aaaa.is_ipv4()) {
        return aaaa;
    }
    if (six_to_four.contains(aaaa)) {
        return ipv4_at(aaaa, 2);
    }
    // No host has an address in 0.0.0.0/8: ::25 is a low number.
    const bool has_low_number = aaaa.bytes()[12] == 0;
    if ((nat64.contains(aaaa) || ipv4_compatible.contains(aaaa)) && !has_low_number) {
        return ipv4_at(aaaa, 12);
    }
    return std::nullopt;
}

} // namespace policy
