// The macros of SPF, RFC 7208 section 7: parsed with the record, expanded for one check. No DNS.
#pragma once

#include "policy/address.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace verify {

// %{...} of section 7.1.
struct SpfMacro {
    char letter = 's';        // in lower case
    bool is_escaped = false;  // the letter was in upper case: URL escaping
    unsigned parts = 0;       // how many are kept, from the right; 0: all
    bool is_reversed = false; // r
    std::string delimiters = ".";

    friend bool operator==(const SpfMacro&, const SpfMacro&) = default;
};

struct SpfMacroString {
    std::vector<std::variant<std::string, SpfMacro>> parts; // a string stands for itself
    bool ends_in_macro = false;                             // also for %%, %_ and %-

    friend bool operator==(const SpfMacroString&, const SpfMacroString&) = default;
};

// Section 7.2: c, r and t stand for something in the text of an explanation only.
enum class SpfMacroLetters : std::uint8_t { of_domain_specs, all };

// Empty where `text` is neither printable US-ASCII nor a macro-string.
std::optional<SpfMacroString> parse_spf_macros(std::string_view text, SpfMacroLetters letters);

// What the letters stand for.
struct SpfMacroValues {
    policy::Address client;                     // i, c and v
    std::string local_part;                     // l
    std::string sender_domain;                  // o; s is both with an @
    std::string domain;                         // d
    std::string helo;                           // h
    std::string receiver;                       // r
    std::string validated_name = "unknown";     // p
    std::chrono::system_clock::time_point time; // t
};

bool uses_letter(const SpfMacroString& text, char letter);

// The text, cut after `limit` octets: a record of 64 KiB could make it a hundred megabytes long.
std::string expand(const SpfMacroString& text, const SpfMacroValues& values, std::size_t limit);
// As a name for DNS: without a final dot, and without as many labels on the left as it takes to be
// at most 253 octets long (section 7.3). It may be no domain name for all that.
std::string expand_domain(const SpfMacroString& text, const SpfMacroValues& values);

} // namespace verify
