// An entry of the journal as octets (entry.proto), but for what has a column of its own: time, case
// id, client and the domain of MAIL FROM. What is empty is left out, a field that is unknown is
// passed over, so that versions can add to it.
#pragma once

#include "policy/journal.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace store {

// Text that strangers supplied stays as it is, so that it is judged and forgotten as it came, and
// is cut where it is too long; a signature's b= keeps what names it in an Authentication-Results
// field.
std::vector<std::uint8_t> details_of(const policy::JournalEntry& entry);

// `entry`, which has what has columns, with the rest. Throws StoreError, which names the case, for
// octets that details_of() of this version cannot have made.
policy::JournalEntry with_details(policy::JournalEntry entry, std::span<const std::uint8_t> octets);

} // namespace store
