#include "policy/verdict.hpp"

namespace policy {

std::string_view to_string(Action action) {
    switch (action) {
    case Action::accept: return "accept";
    case Action::tempfail: return "tempfail";
    case Action::reject: return "reject";
    }
    return "tempfail";
}

std::string_view to_string(Exemption exemption) {
    switch (exemption) {
    case Exemption::ipv4: return "ipv4";
    case Exemption::local: return "local";
    case Exemption::network: return "network";
    case Exemption::authenticated: return "authenticated";
    case Exemption::recipients: return "recipients";
    }
    return "?";
}

} // namespace policy
