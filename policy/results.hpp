// The results of RFC 8601 section 2.7, printed as the RFC spells them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace policy {

// Section 2.7.3. No PTR record is permerror, a PTR that does not lead back is fail.
enum class IprevResult : std::uint8_t { pass, fail, temperror, permerror };

// Section 2.7.2, RFC 7208 section 2.6.
// A pass that the policy does not count is policy.
enum class SpfResult : std::uint8_t {
    none,
    neutral,
    pass,
    fail,
    softfail,
    policy,
    temperror,
    permerror
};

// Section 2.7.1. A signature that verifies and still does not count is policy.
enum class DkimResult : std::uint8_t { none, pass, fail, policy, neutral, temperror, permerror };

std::string_view to_string(IprevResult result);
std::string_view to_string(SpfResult result);
std::string_view to_string(DkimResult result);
std::optional<IprevResult> iprev_result_from(std::string_view word);
std::optional<SpfResult> spf_result_from(std::string_view word);
std::optional<DkimResult> dkim_result_from(std::string_view word);

} // namespace policy
