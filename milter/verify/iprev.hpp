// iprev: does the client's name lead back to the client? RFC 8601 section 3.
#pragma once

#include "milter/verify/lookups.hpp"
#include "policy/address.hpp"
#include "policy/evidence.hpp"

namespace verify {

// Asks for the PTR, and for the addresses of its names as soon as it is in. Does not block.
void start_iprev(Resolver& resolver, const policy::Address& client);

// Blocks for DNS until the deadline of `lookups`. Looks at up to 10 names.
policy::IprevEvidence check_iprev(Lookups& lookups, const policy::Address& client);

} // namespace verify
