// Which part of the senders a stage with `percent` selects (DESIGN.md section 8).
#pragma once

#include "policy/evidence.hpp"
#include "policy/journal.hpp"

#include <string>
#include <string_view>

namespace milter {

// Where the sender of `evidence` stands among all senders: 0 to 100, 100 not included. It hangs on
// the organizational domain of MAIL FROM (of the HELO name for the null path) and on the key, and
// on nothing else: retries from another address, other hosts with the same key and later days all
// agree. Throws std::runtime_error where OpenSSL has no HMAC-SHA256.
double percentile_of(const policy::Evidence& evidence, std::string_view key);

// The entry with its sender where `key` places it: the one that it was judged by may have been
// another, or none. Without a key, as it is.
policy::JournalEntry placed(policy::JournalEntry entry, std::string_view key);

} // namespace milter
