#include "milter/asked.hpp"

#include <string_view>

namespace milter {

namespace {

using policy::Authentication;
using policy::ReverseName;
using policy::SenderDomain;

std::string_view reverse_name_asked(ReverseName required) {
    switch (required) {
    case ReverseName::confirmed:
        return "a reverse name that leads back to the address it comes from";
    case ReverseName::present: return "a reverse name of the address it comes from";
    case ReverseName::any: break;
    }
    return {};
}

std::string_view authentication_asked(Authentication required) {
    switch (required) {
    case Authentication::spf_or_dkim: return "a pass of SPF or of DKIM";
    case Authentication::spf_and_dkim: return "a pass of SPF and one of DKIM";
    case Authentication::aligned: return "a pass of SPF or of DKIM for the domain in From";
    case Authentication::any: break;
    }
    return {};
}

std::string_view sender_domain_asked(SenderDomain required) {
    switch (required) {
    case SenderDomain::reachable: return "a domain in MAIL FROM that bounces can reach";
    case SenderDomain::any: break;
    }
    return {};
}

} // namespace

std::string asked_by(const policy::Requirements& required) {
    std::string all;
    for (const auto part : {reverse_name_asked(required.reverse_name),
                            authentication_asked(required.authentication),
                            sender_domain_asked(required.sender_domain)}) {
        if (!part.empty()) {
            all += (all.empty() ? "" : ", and ") + std::string{part};
        }
    }
    return all;
}

} // namespace milter
