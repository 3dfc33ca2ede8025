// Domain names as DNS and replies want them.
#pragma once

#include <string>
#include <string_view>

namespace verify {

// `domain` as A-labels in lower case, without a final dot (RFC 5890). What is no valid U-label is
// given back as it came: it will not be found, and it is shown as it was.
std::string to_a_labels(std::string_view domain);

// The domain of a mailbox, as A-labels; empty where it has none, or has no one reading.
std::string domain_of(std::string_view address);

// An address with its domain as A-labels where it has other octets than ASCII's.
std::string with_a_labels(std::string_view address);

} // namespace verify
