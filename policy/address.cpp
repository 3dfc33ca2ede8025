#include "policy/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

namespace policy {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// A mask for the part of octet number `index` that the first `length` bits cover.
std::uint8_t mask_of(std::size_t index, unsigned length) {
    const auto first_bit = static_cast<unsigned>(index * 8);
    if (length <= first_bit) {
        return 0;
    }
    const unsigned bits = std::min(length - first_bit, 8U);
    return static_cast<std::uint8_t>(0xffU << (8U - bits));
}

std::optional<unsigned> parse_number(std::string_view text, unsigned largest) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number > largest) {
        return std::nullopt;
    }
    return number;
}

} // namespace

std::optional<Address> Address::parse(std::string_view text) {
    if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    const std::string terminated{text};
    std::array<std::uint8_t, 4> octets{};
    if (inet_pton(AF_INET, terminated.c_str(), octets.data()) == 1) {
        return from_ipv4(octets);
    }
    Bytes bytes{};
    if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) {
        return Address{bytes};
    }
    return std::nullopt;
}

Address Address::from_ipv4(const std::array<std::uint8_t, 4>& octets) {
    Bytes bytes{};
    auto* const rest = std::copy(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
    std::copy(octets.begin(), octets.end(), rest);
    return Address{bytes};
}

bool Address::is_ipv4() const {
    return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin());
}

bool Address::is_loopback() const {
    static constexpr Address ipv6_loopback{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    return is_ipv4() ? bytes_[12] == 127 : *this == ipv6_loopback;
}

bool Address::is_link_local() const {
    if (is_ipv4()) {
        return bytes_[12] == 169 && bytes_[13] == 254;
    }
    return bytes_[0] == 0xfe && (bytes_[1] & 0xc0U) == 0x80;
}

bool Address::is_unspecified() const {
    return *this == Address{};
}

std::string Address::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_ipv4()) {
        inet_ntop(AF_INET, &bytes_[12], text.data(), text.size());
    } else {
        inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
    }
    return text.data();
}

std::string Address::reverse_name() const {
    constexpr std::size_t longest = 72; // of IPv6
    std::string name;
    name.reserve(longest);
    if (is_ipv4()) {
        for (std::size_t i = 16; i > 12; --i) {
            name += std::to_string(bytes_[i - 1]) + '.';
        }
        name += "in-addr.arpa";
        return name;
    }
    static constexpr std::string_view digits = "0123456789abcdef";
    for (std::size_t i = bytes_.size(); i > 0; --i) {
        const unsigned octet = bytes_[i - 1];
        name += {digits[octet & 0xfU], '.', digits[octet >> 4U], '.'};
    }
    name += "ip6.arpa";
    return name;
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = Address::parse(text.substr(0, slash));
    if (!address) {
        return std::nullopt;
    }
    const bool is_dotted = text.find(':') == std::string_view::npos;
    if (slash == std::string_view::npos) {
        return Prefix{*address, 128};
    }
    const auto length = parse_number(text.substr(slash + 1), is_dotted ? 32 : 128);
    if (!length) {
        return std::nullopt;
    }
    return Prefix{*address, is_dotted ? *length + 96 : *length};
}

bool Prefix::contains(const Address& other) const {
    for (std::size_t i = 0; i < other.bytes().size(); ++i) {
        const unsigned difference = address.bytes()[i] ^ other.bytes()[i];
        if ((difference & mask_of(i, length)) != 0) {
            return false;
        }
    }
    return true;
}

bool Prefix::has_host_bits() const {
    return first() != address;
}

Address Prefix::first() const {
    Address::Bytes bytes = address.bytes();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] &= mask_of(i, length);
    }
    return Address{bytes};
}

Address Prefix::last() const {
    Address::Bytes bytes = address.bytes();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(bytes[i] | (~mask_of(i, length) & 0xffU));
    }
    return Address{bytes};
}

std::string Prefix::to_string() const {
    const bool is_dotted = address.is_ipv4() && length >= 96;
    return address.to_string() + '/' + std::to_string(is_dotted ? length - 96 : length);
}

Prefix network_of(const Address& address) {
    if (address.is_ipv4()) {
        return {address, 128};
    }
    return {Prefix{address, 64}.first(), 64};
}

} // namespace policy
