// Names of the DNS between their two forms, so that a dot or an odd octet inside a label is never
// taken for something else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace verify {

// RFC 1035 section 2.3.4, in presentation form without a final dot and escapes.
constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;

// A name as on the wire, uncompressed: each label after its length, ended by a zero octet.
struct WireName {
    std::string octets{'\0'}; // the root

    bool is_root() const { return octets.size() == 1; }

    friend bool operator==(const WireName&, const WireName&) = default;
};

// RFC 1035 section 5.1: \X and \DDD are understood, a final dot is not needed, and any octet that
// is not escaped stands for itself. Nothing where the name has an empty label, a label of more than
// 63 octets or more than 255 octets in all; the empty text and "." are the root.
std::optional<WireName> wire_name(std::string_view text);

// Presentation form without a final dot: a dot or backslash inside a label as \X, an octet that is
// not printable ASCII as \DDD. The root is ".".
std::string presentation(const WireName& name);

// For comparison: the DNS knows no case (RFC 4343), of ASCII letters.
WireName lower_case(const WireName& name);

// A name that stands in a message, and how many octets it takes there.
struct NameInMessage {
    WireName name;
    std::size_t length = 0;
};

// The name that starts at `start` of `message`, with compression followed. Nothing where it is cut,
// loops, or is too long.
std::optional<NameInMessage> name_in(std::span<const std::uint8_t> message, std::size_t start);

} // namespace verify
