// Authentication-Results of RFC 8601: what we write, and whose fields from outside claim our name.
#pragma once

#include "policy/evidence.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace policy {

inline constexpr std::string_view results_field_name = "Authentication-Results";

// One resinfo per result that is known, in the order iprev, spf (mailfrom, helo), dkim. Printable
// ASCII; each may be folded at its spaces outside quoted strings.
std::vector<std::string> resinfos(const Evidence& evidence);

// The field's value, folded with LF and a tab, no line over 78 columns where words allow.
// "id; none" where nothing was checked.
std::string authentication_results(std::string_view authserv_id, const Evidence& evidence);

// Whether the value of an Authentication-Results field from outside claims `authserv_id`
// (section 5). Case, version, quotes, comments and folds do not hide it; what cannot be parsed
// claims everything.
bool claims_authserv_id(std::string_view field_value, std::string_view authserv_id);

} // namespace policy
