#include "milter/message_identity.hpp"

#include "policy/ascii.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace milter {

namespace {

enum IdentityField : std::uint8_t { of_message_id, of_date, of_from, of_subject };

constexpr auto identity_fields =
    std::to_array<std::string_view>({"Message-ID", "Date", "From", "Subject"});

// RFC 5322 section 2.1.1 allows a line 998 octets; what differs later differs in Date, too.
constexpr std::size_t longest_identity_value = 1'000;

// Whoever passes a message on may fold its fields anew.
std::string without_space(std::string_view value) {
    std::string text{value.substr(0, longest_identity_value)};
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    return text;
}

} // namespace

void MessageIdentity::note(std::string_view name, std::string_view value) {
    name = policy::field_name(name);
    for (std::size_t i = 0; i < identity_fields.size(); ++i) {
        if (values_.at(i).empty() && policy::same_name(name, identity_fields.at(i))) {
            values_.at(i) = without_space(value);
        }
    }
}

std::string MessageIdentity::text() const {
    if (!values_[of_message_id].empty()) {
        return values_[of_message_id];
    }
    return values_[of_date].empty()
               ? ""
               : '\n' + values_[of_date] + '\n' + values_[of_from] + '\n' + values_[of_subject];
}

} // namespace milter
