// Octets as text.
#pragma once

#include <span>
#include <string>

namespace store {

// Two digits an octet, in lower case.
std::string hex_of(std::span<const unsigned char> octets);

} // namespace store
