// Organizational domains: what somebody has registered, by the Public Suffix List.
#pragma once

#include <string>
#include <string_view>

namespace verify {

// The public suffix and one label more, as A-labels in lower case: example.co.uk for
// mail.example.co.uk. Of what the list does not know, the last label is taken for a public suffix,
// as its rule "*" has it. A public suffix, and an address literal, is its own organization.
//
// The list is the library's own or the system's, whichever is newer. It is read once, at the first
// call, and never changes; safe to use from any thread. Throws where there is none.
std::string organizational_domain(std::string_view domain);

} // namespace verify
