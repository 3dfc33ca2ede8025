#include "policy/results.hpp"

namespace policy {

std::string_view to_string(IprevResult result) {
    switch (result) {
    case IprevResult::pass: return "pass";
    case IprevResult::fail: return "fail";
    case IprevResult::temperror: return "temperror";
    case IprevResult::permerror: return "permerror";
    }
    return "temperror";
}

std::string_view to_string(SpfResult result) {
    switch (result) {
    case SpfResult::none: return "none";
    case SpfResult::neutral: return "neutral";
    case SpfResult::pass: return "pass";
    case SpfResult::fail: return "fail";
    case SpfResult::softfail: return "softfail";
    case SpfResult::policy: return "policy";
    case SpfResult::temperror: return "temperror";
    case SpfResult::permerror: return "permerror";
    }
    return "temperror";
}

std::string_view to_string(DkimResult result) {
    switch (result) {
    case DkimResult::none: return "none";
    case DkimResult::pass: return "pass";
    case DkimResult::fail: return "fail";
    case DkimResult::policy: return "policy";
    case DkimResult::neutral: return "neutral";
    case DkimResult::temperror: return "temperror";
    case DkimResult::permerror: return "permerror";
    }
    return "temperror";
}

} // namespace policy
