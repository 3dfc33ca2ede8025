// What an SPF check will ask for, asked before it begins.
#pragma once

#include "milter/verify/resolver.hpp"

#include <string>

namespace verify {

// Asks for the SPF record of `domain`, and for those it includes or redirects to as soon as it is
// in, a few levels deep. Only a hint: names made by macros, and all that is wrong with a record,
// are left to the check. Does not block. `resolver` must outlive the answers.
void ask_spf_ahead(Resolver& resolver, const std::string& domain);

} // namespace verify
