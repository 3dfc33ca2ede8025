// Names as SPF meets them: those it may ask for, and the one that is the client's.
#pragma once

#include "milter/verify/lookups.hpp"
#include "policy/address.hpp"

#include <string>
#include <string_view>

namespace verify {

// RFC 7208 section 4.3: US-ASCII of more than one label, each of 1 to 63 octets, no final dot.
bool is_domain_name(std::string_view name);

// A domain name of letters, digits, hyphens and underscores, and no address.
bool is_plain_name(std::string_view name);

// `name` as a Question wants it. Every dot of an expanded macro separates labels, so only the
// backslash is escaped.
std::string presentation_form(std::string_view name);

// %{p} of section 7.3: a name of the client that leads back to it, preferably `domain` or one below
// it, or "unknown". Looks up at most 10 names.
std::string
validated_name(Lookups& lookups, const policy::Address& client, std::string_view domain);

} // namespace verify
