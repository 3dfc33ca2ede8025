// What a policy asks of mail, in words for those who send it.
#pragma once

#include "policy/rules.hpp"

#include <string>

namespace milter {

// "a reverse name that leads back to the address it comes from, and a pass of SPF or of DKIM".
// Empty: nothing is asked.
std::string asked_by(const policy::Requirements& required);

} // namespace milter
