// A network as people write it, in a configuration or on a command line.
#pragma once

#include "policy/address.hpp"

#include <tl/expected.hpp>

#include <string>
#include <string_view>

namespace milter {

// An address, or a network without bits beyond its length: those are almost always a slip. Else
// what is allowed, and what to write instead.
tl::expected<policy::Prefix, std::string> parse_network(std::string_view text);

} // namespace milter
