#include "policy/domain_set.hpp"

#include "policy/ascii.hpp"

namespace policy {

namespace {

std::string normalized(std::string_view name) {
    return to_lower(name.ends_with('.') ? name.substr(0, name.size() - 1) : name);
}

} // namespace

void DomainSet::add(std::string_view domain) {
    domains_.insert(normalized(domain));
}

bool DomainSet::contains(std::string_view name) const {
    if (domains_.empty()) {
        return false;
    }
    std::string part = normalized(name);
    if (domains_.contains(part)) {
        return !part.starts_with('.');
    }
    for (auto dot = part.find('.', 1); dot != std::string::npos; dot = part.find('.', 1)) {
        part.erase(0, dot);
        if (domains_.contains(part)) {
            return true;
        }
    }
    return false;
}

} // namespace policy
