// Recipients as a configuration names them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace policy {

// "postmaster@*", "*@example.org", "user@example.org"; both halves compare without case. Matches
// nothing that has more than one reading (mailbox.hpp).
struct RecipientPattern {
    std::string local_part; // "*": any
    std::string domain;     // "*": any

    static std::optional<RecipientPattern> parse(std::string_view text);
    bool matches(std::string_view recipient) const;

    friend bool operator==(const RecipientPattern&, const RecipientPattern&) = default;
};

// Whether MTAs agree about whose address it is: one that they repair, or that they may send on
// elsewhere ("a%b@example.org"), has more than one reading.
bool has_one_reading(std::string_view recipient);

} // namespace policy
