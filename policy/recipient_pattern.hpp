// Recipients as a configuration names them.
#pragma once

#include "policy/mailbox.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace policy {

// "postmaster@*", "*@example.org", "user@example.org"; both halves compare without case. Matches
// nothing that has more than one reading (mailbox.hpp).
struct RecipientPattern {
    std::string local_part; // "*": any
    std::string domain;     // "*": any

    static std::optional<RecipientPattern> parse(std::string_view text);
    bool matches(const Mailbox& recipient) const;

    friend bool operator==(const RecipientPattern&, const RecipientPattern&) = default;
};

// Whether one of `patterns` matches; none does where the address cannot be read.
bool matches_any(std::span<const RecipientPattern> patterns, std::string_view recipient);

// Whether MTAs agree about whose address it is. More than one reading has what they repair, what
// they complete with a domain of theirs, what they may send on elsewhere ("a%b@example.org"), and a
// domain of other octets than ASCII's.
bool has_one_reading(std::string_view recipient);

} // namespace policy
