// Which part of the senders a stage with `percent` selects (DESIGN.md section 8).
#pragma once

#include "policy/evidence.hpp"
#include "policy/journal.hpp"

#include <string>
#include <string_view>

namespace milter {

// The organizational domain of MAIL FROM, of the HELO name for the null path: retries from another
// address and other hosts agree on it.
std::string organization_of_sender(const policy::Evidence& evidence);

// Where the sender of `evidence` stands among all senders: 0 to 100, 100 not included. It hangs on
// organization_of_sender() and on the key, and on nothing else: other hosts with the same key and
// later days agree, too. Throws std::runtime_error where OpenSSL has no HMAC-SHA256.
double percentile_of(const policy::Evidence& evidence, std::string_view key);

// The entry with its sender where `key` places it: the one that it was judged by may have been
// another, or none. Without a key, as it is.
policy::JournalEntry placed(policy::JournalEntry entry, std::string_view key);

} // namespace milter
