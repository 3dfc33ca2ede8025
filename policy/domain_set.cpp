#include "policy/domain_set.hpp"

#include "policy/ascii.hpp"

namespace policy {

namespace {

constexpr std::size_t longest_name = 254; // RFC 1035 section 2.3.4, and a final dot

std::string normalized(std::string_view name) {
    return to_lower(name.ends_with('.') ? name.substr(0, name.size() - 1) : name);
}

} // namespace

void DomainSet::add(std::string_view domain) {
    domains_.insert(normalized(domain));
}

bool DomainSet::contains(std::string_view name) const {
    if (domains_.empty() || name.size() > longest_name) {
        return false;
    }
    const std::string whole = normalized(name);
    if (domains_.contains(whole)) {
        return !whole.starts_with('.');
    }
    for (auto dot = whole.find('.', 1); dot != std::string::npos; dot = whole.find('.', dot + 1)) {
        if (domains_.contains(std::string_view{whole}.substr(dot))) {
            return true;
        }
    }
    return false;
}

} // namespace policy
