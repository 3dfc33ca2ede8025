// The values that settings take: each function reads one kind, and its fault says what is allowed.
#pragma once

#include "milter/log.hpp"
#include "milter/toml_values.hpp"
#include "policy/rules.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace milter {

template <std::int64_t least, std::int64_t most>
OrFault<std::chrono::milliseconds> read_milliseconds(const TomlScalar& value) {
    return read_number(value, least, most).map([](std::int64_t number) {
        return std::chrono::milliseconds{number};
    });
}

template <std::int64_t least, std::int64_t most>
OrFault<std::size_t> read_mebioctets(const TomlScalar& value) {
    return read_number(value, least, most).map([](std::int64_t number) {
        return static_cast<std::size_t>(number) << 20U;
    });
}

// "12h", "5d" or "2w", from an hour to `most` days.
OrFault<std::chrono::milliseconds> read_length(const TomlScalar& value, std::chrono::days most);

template <std::int64_t most_days>
OrFault<std::chrono::milliseconds> read_length_to(const TomlScalar& value) {
    return read_length(value, std::chrono::days{most_days});
}

OrFault<std::uint32_t> read_file_mode(const TomlScalar& value); // a string in octal
// A token of RFC 2045 section 5.1, the form of authserv-id that needs no quotes anywhere.
OrFault<std::string> read_authserv_id(const TomlScalar& value);
OrFault<std::string> read_url(const TomlScalar& value);
OrFault<std::string> read_site(const TomlScalar& value); // a name in a letter

OrFault<LogLevel> read_log_level(const TomlScalar& value);
OrFault<policy::Profile> read_profile(const TomlScalar& value);
OrFault<policy::Mode> read_mode(const TomlScalar& value);
OrFault<policy::ReverseName> read_reverse_name(const TomlScalar& value);
OrFault<policy::Authentication> read_authentication(const TomlScalar& value);
OrFault<policy::SenderDomain> read_sender_domain(const TomlScalar& value);
OrFault<policy::OnTemperror> read_on_temperror(const TomlScalar& value);
OrFault<policy::NullReversePath> read_null_reverse_path(const TomlScalar& value);
OrFault<policy::AfterGrace> read_after_grace(const TomlScalar& value);
OrFault<policy::ClosedAt> read_closed_at(const TomlScalar& value);
OrFault<policy::MixedRecipients> read_mixed_recipients(const TomlScalar& value);

// What a reply in soft mode, and in enforce mode, may begin with, given its reason. Senders of mx6
// know that a 5yz code of its replies leads to IPv4.
OrFault<policy::ReplyCode>
read_soft_code(const TomlScalar& value, policy::Profile profile, policy::Reason reason);
OrFault<policy::ReplyCode> read_enforce_code(const TomlScalar& value, policy::Reason reason);
OrFault<std::vector<std::string>> read_reply_text(const TomlValue& value);

} // namespace milter
