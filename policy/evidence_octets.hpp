// How much memory evidence takes, for whoever has to bound what is kept of it.
#pragma once

#include "policy/evidence.hpp"

#include <cstddef>

namespace policy {

// About as much: all that a stranger can make large is counted.
std::size_t octets_of(const Evidence& evidence);

} // namespace policy
