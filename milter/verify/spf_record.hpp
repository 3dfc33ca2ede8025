// SPF records as values: which TXT record is one, and the grammar of RFC 7208 section 12, strictly
// and over the whole record. No DNS.
#pragma once

#include "milter/verify/spf_macro.hpp"
#include "policy/address.hpp"
#include "policy/results.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verify {

enum class SpfMechanism : std::uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };

bool needs_dns(SpfMechanism mechanism); // section 4.6.4: it counts

struct SpfDirective {
    policy::SpfResult qualifier = policy::SpfResult::pass; // the result when it matches
    SpfMechanism mechanism = SpfMechanism::all;
    std::string text;                     // as published
    std::optional<SpfMacroString> target; // <domain-spec>; without one it is the current domain
    policy::Prefix network;               // ip4, ip6
    unsigned ip4_length = 32;             // a, mx
    unsigned ip6_length = 128;            // a, mx

    friend bool operator==(const SpfDirective&, const SpfDirective&) = default;
};

struct SpfRecord {
    std::vector<SpfDirective> directives;
    std::optional<SpfMacroString> redirect;    // redirect=
    std::optional<SpfMacroString> explanation; // exp=

    friend bool operator==(const SpfRecord&, const SpfRecord&) = default;
};

struct SpfSyntaxError {
    std::string term; // as published: whoever prints it makes it printable
    std::string_view reason;

    friend bool operator==(const SpfSyntaxError&, const SpfSyntaxError&) = default;
};

// Section 4.5: those that begin with the version. More than one is an error of the domain's.
std::vector<std::string> spf_records_among(const std::vector<std::string>& texts);

// `text` is one of spf_records_among().
tl::expected<SpfRecord, SpfSyntaxError> parse_spf_record(std::string_view text);

} // namespace verify
