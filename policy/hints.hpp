// What the sender got wrong, as far as the evidence tells it. Hints never decide: they go to whom a
// verdict is explained.
#pragma once

#include "policy/evidence.hpp"

#include <string>
#include <vector>

namespace policy {

// One sentence each, of printable ASCII: what kind of address the client has, an AAAA record made
// from an IPv4 address, an SPF record without IPv6 and what to add to it, a sender domain that
// cannot be reached over IPv6. What has helped in spite of it is not told, nor what is not known.
// None for an IPv4 client.
std::vector<std::string> hints_of(const Evidence& evidence);

} // namespace policy
