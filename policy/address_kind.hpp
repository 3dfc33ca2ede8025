// What an IPv6 address tells about how it came to be. No kind is a ground for refusal: it says what
// the sender may have got wrong.
#pragma once

#include "policy/address.hpp"

#include <cstdint>
#include <optional>

namespace policy {

enum class AddressKind : std::uint8_t {
    ordinary,        // nothing to tell, or an IPv4 address
    six_to_four,     // 2002::/16 (RFC 3056, no longer to be used: RFC 7526)
    teredo,          // 2001::/32 (RFC 4380)
    nat64,           // 64:ff9b::/96 (RFC 6052) and 64:ff9b:1::/48 (RFC 8215)
    ipv4_compatible, // ::/96 but for :: and ::1 (RFC 4291 section 2.5.5.1, deprecated)
    unique_local,    // fc00::/7 (RFC 4193)
    eui64,           // the interface identifier is made from a hardware address
    temporary        // the interface identifier looks random
};

// The kind of the network where that tells something, else that of the interface identifier, which
// is taken to be the last 64 bits.
//
// `eui64`: ff:fe stands in its middle (RFC 4291 appendix A). By chance, one random identifier in
// 65,536 has that.
//
// `temporary`: it has no form that people and programs give to addresses (RFC 7707 section 4.1).
// That is: none of its four groups is 0 and at most one is below 0x1000, at least eight of the
// sixteen digits differ, and at least one is a letter. Of 100 random identifiers some 96 are told
// so, and none of the usual forms: low numbers, embedded IPv4 addresses and dates, words. But what
// is random for a day (RFC 8981) does not differ from what is random and stays (RFC 7217, clouds
// that number their hosts so). So this is a guess, worth a word to whom has other trouble with the
// address.
AddressKind address_kind_of(const Address& address);

// The IPv4 address that an AAAA record looks made from by conversion: ::a.b.c.d,
// ::ffff:a.b.c.d, 64:ff9b::a.b.c.d, or 2002:a.b.c.d:: with whatever follows. Empty for others.
// Pass it what stood in an AAAA record only: ::ffff:a.b.c.d is the IPv4 address itself here.
std::optional<Address> converted_from(const Address& aaaa);

} // namespace policy
