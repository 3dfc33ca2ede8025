// Sender domain: could a bounce be delivered to the domain of MAIL FROM? RFC 5321 section 5.1, and
// the null MX of RFC 7505.
#pragma once

#include "milter/verify/lookups.hpp"
#include "policy/evidence.hpp"

#include <string_view>

namespace verify {

// `domain` is that of a mailbox, as domain_of() tells it: A-labels, or an address literal.

// Asks for the MX, and for the addresses of its hosts as soon as it is in. Does not block.
void start_sender_domain(Resolver& resolver, std::string_view domain);

// Blocks for DNS until the deadline of `lookups`. Looks at the 10 hosts that are preferred. A and
// AAAA count alike. An address literal is reachable and asks for nothing; no domain is unreachable.
policy::SenderDomainEvidence check_sender_domain(Lookups& lookups, std::string_view domain);

} // namespace verify
