#include "milter/verify/dns_name.hpp"

#include "policy/ascii.hpp"

#include <arpa/nameser.h>

#include <array>
#include <cstddef>

namespace verify {

namespace {

// All labels of an uncompressed name, up to its zero octet.
std::string octets_of(std::span<const std::uint8_t> name) {
    std::size_t end = 0;
    while (name[end] != 0) {
        end += name[end] + std::size_t{1};
    }
    return {name.begin(), name.begin() + static_cast<std::ptrdiff_t>(end + 1)};
}

std::string escaped(char c) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '.' || c == '\\') {
        return {'\\', c};
    }
    if (policy::is_printable(c) && c != ' ') {
        return {c};
    }
    const auto digit = [](unsigned value) { return static_cast<char>('0' + value % 10); };
    return {'\\', digit(octet / 100U), digit(octet / 10U), digit(octet)};
}

} // namespace

std::optional<WireName> wire_name(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    if (text.empty() || text == ".") {
        return WireName{};
    }
    std::array<std::uint8_t, NS_MAXCDNAME> octets{};
    if (ns_name_pton(std::string{text}.c_str(), octets.data(), octets.size()) < 0) {
        return std::nullopt;
    }
    return WireName{octets_of(octets)};
}

std::string presentation(const WireName& name) {
    if (name.is_root()) {
        return ".";
    }
    std::string text;
    std::size_t length = 0; // of the label, in octets that are still to come
    for (std::size_t i = 0; i + 1 < name.octets.size(); ++i) {
        if (length > 0) {
            text += escaped(name.octets[i]);
            --length;
            continue;
        }
        length = static_cast<unsigned char>(name.octets[i]);
        text += text.empty() ? "" : ".";
    }
    return text;
}

WireName lower_case(const WireName& name) {
    // A label's length is below 64, so it is never taken for a letter.
    return {policy::to_lower(name.octets)};
}

std::optional<NameInMessage> name_in(std::span<const std::uint8_t> message, std::size_t start) {
    if (start >= message.size()) {
        return std::nullopt;
    }
    std::array<std::uint8_t, NS_MAXCDNAME> octets{};
    const auto* const begin = message.data();
    const int length =
        ns_name_unpack(begin, begin + message.size(), begin + start, octets.data(), octets.size());
    if (length < 0) {
        return std::nullopt;
    }
    return NameInMessage{{octets_of(octets)}, static_cast<std::size_t>(length)};
}

} // namespace verify
