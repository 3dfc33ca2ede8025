// The page that help_url leads to: what each reason means, and what the sender has to mend.
#pragma once

#include "policy/rules.hpp"

#include <string>
#include <vector>

namespace milter {

struct HelpPage {
    std::string site;  // whose page it is, such as the name of the host
    std::string probe; // an address that answers tests; empty: there is none
    std::vector<policy::Requirements> required; // by the stages, or the one, that judge mail
};

// A page that fetches nothing (html_page.hpp), with an anchor for each policy::Reason. Its script
// fills in the address of the reader that ?ip= gives; without it the examples stand.
std::string help_page(const HelpPage& page);

} // namespace milter
