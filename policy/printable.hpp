// What strangers supplied, made fit to print.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace policy {

// Printable ASCII: any other octet, and the backslash, becomes \xNN; past `limit` octets the rest
// is cut and "..." says so.
std::string printable(std::string_view text, std::size_t limit = 255);

} // namespace policy
