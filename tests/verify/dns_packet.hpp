// DNS packets built by hand, right or wrong. Names are dotted, without escapes.
#pragma once

#include "policy/address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tests {

using Octets = std::vector<std::uint8_t>;

inline void append(Octets& octets, const Octets& more) {
    octets.insert(octets.end(), more.begin(), more.end());
}

inline Octets number16(std::size_t value) {
    return {static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value & 0xffU)};
}

inline Octets number32(std::size_t value) {
    Octets octets = number16(value >> 16U);
    append(octets, number16(value & 0xffffU));
    return octets;
}

inline Octets string_octets(std::string_view text) {
    Octets octets{static_cast<std::uint8_t>(text.size())};
    octets.insert(octets.end(), text.begin(), text.end());
    return octets;
}

// From labels, which may hold anything.
inline Octets labels(std::initializer_list<std::string_view> parts) {
    Octets octets;
    for (const auto part : parts) {
        append(octets, string_octets(part));
    }
    octets.push_back(0);
    return octets;
}

inline Octets name_octets(std::string_view name) {
    Octets octets;
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        append(octets, string_octets(label));
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    octets.push_back(0);
    return octets;
}

inline Octets strings(std::initializer_list<std::string_view> parts) {
    Octets octets;
    for (const auto part : parts) {
        append(octets, string_octets(part));
    }
    return octets;
}

inline Octets address_octets(std::string_view text) {
    const auto address = policy::Address::parse(text).value();
    const auto& bytes = address.bytes();
    return {bytes.begin() + (address.is_ipv4() ? 12 : 0), bytes.end()};
}

inline Octets mx_octets(std::size_t preference, std::string_view host) {
    Octets octets = number16(preference);
    append(octets, name_octets(host));
    return octets;
}

inline Octets soa_octets(std::size_t minimum) {
    Octets octets = name_octets("ns.example.org");
    append(octets, name_octets("hostmaster.example.org"));
    for (const std::size_t number :
         {std::size_t{1}, std::size_t{7200}, std::size_t{3600}, std::size_t{86400}, minimum}) {
        append(octets, number32(number));
    }
    return octets;
}

namespace rr {
constexpr std::size_t a = 1;
constexpr std::size_t ns = 2;
constexpr std::size_t cname = 5;
constexpr std::size_t soa = 6;
constexpr std::size_t ptr = 12;
constexpr std::size_t mx = 15;
constexpr std::size_t txt = 16;
constexpr std::size_t aaaa = 28;
constexpr std::size_t opt = 41;
} // namespace rr

class DnsPacket {
public:
    static constexpr std::size_t response = 0x8180; // QR, RD, RA

    DnsPacket(const Octets& name, std::size_t type) {
        body_ = name;
        append(body_, number16(type));
        append(body_, number16(1));
        counts_[0] = 1;
    }

    DnsPacket(std::string_view name, std::size_t type) : DnsPacket{name_octets(name), type} {}

    DnsPacket& id(std::size_t value) { return id_ = value, *this; }

    DnsPacket& flags(std::size_t value) { return flags_ = value, *this; }

    DnsPacket& rcode(std::size_t value) { return flags(response | value); }

    // Sections come in their order: answer, authority, additional.
    DnsPacket& answer(std::string_view owner, std::size_t type, std::size_t ttl, Octets data) {
        return record(1, name_octets(owner), type, ttl, data);
    }

    DnsPacket& authority(std::string_view owner, std::size_t type, std::size_t ttl, Octets data) {
        return record(2, name_octets(owner), type, ttl, data);
    }

    DnsPacket& additional(std::string_view owner, std::size_t type, std::size_t ttl, Octets data) {
        return record(3, name_octets(owner), type, ttl, data);
    }

    DnsPacket& record(std::size_t section,
                      const Octets& owner,
                      std::size_t type,
                      std::size_t ttl,
                      const Octets& data) {
        append(body_, owner);
        append(body_, number16(type));
        append(body_, number16(1));
        append(body_, number32(ttl));
        append(body_, number16(data.size()));
        append(body_, data);
        ++counts_.at(section);
        return *this;
    }

    DnsPacket& count(std::size_t section, std::size_t value) {
        return counts_.at(section) = value, *this;
    }

    Octets octets() const {
        Octets packet = number16(id_);
        append(packet, number16(flags_));
        for (const auto count : counts_) {
            append(packet, number16(count));
        }
        append(packet, body_);
        return packet;
    }

private:
    std::size_t id_ = 0;
    std::size_t flags_ = response;
    std::array<std::size_t, 4> counts_{};
    Octets body_;
};

} // namespace tests
