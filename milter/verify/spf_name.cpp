#include "milter/verify/spf_name.hpp"

#include "milter/verify/dns_name.hpp"
#include "policy/ascii.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace verify {

namespace {

constexpr std::size_t most_client_names = 10; // RFC 7208 section 4.6.4

bool is_below(std::string_view name, std::string_view domain) {
    return name.size() > domain.size() && name.ends_with(domain) &&
           name[name.size() - domain.size() - 1] == '.';
}

// The names that PTR tells, those first that are to be preferred.
std::vector<std::string>
client_names(Lookups& lookups, const policy::Address& client, std::string_view domain) {
    const auto& answer = lookups.lookup({client.reverse_name(), RecordType::ptr});
    if (!answer) {
        return {};
    }
    std::vector<std::string> names;
    for (const auto& name : answer->names) {
        if (names.size() < most_client_names) {
            names.push_back(Question{name, RecordType::ptr}.name); // lower case, no final dot
        }
    }
    const Question preferred{presentation_form(domain), RecordType::ptr};
    const auto rank = [&preferred](const std::string& name) {
        const int distance = is_below(name, preferred.name) ? 1 : 2;
        return name == preferred.name ? 0 : distance;
    };
    std::ranges::stable_sort(names, {}, rank);
    return names;
}

} // namespace

bool is_domain_name(std::string_view name) {
    const auto is_ascii = [](char c) { return c > 0; };
    if (name.size() > longest_name || name.find('.') == std::string_view::npos ||
        !std::ranges::all_of(name, is_ascii)) {
        return false;
    }
    for (;;) {
        const auto dot = name.find('.');
        const auto label = name.substr(0, dot);
        if (label.empty() || label.size() > longest_label) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        name.remove_prefix(dot + 1);
    }
}

bool is_plain_name(std::string_view name) {
    const auto is_allowed = [](char c) {
        return policy::is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
    };
    return is_domain_name(name) && std::ranges::all_of(name, is_allowed) &&
           !policy::Address::parse(name);
}

std::string presentation_form(std::string_view name) {
    std::string escaped;
    for (const char c : name) {
        if (c == '\\') {
            escaped += c;
        }
        escaped += c;
    }
    return escaped;
}

std::string
validated_name(Lookups& lookups, const policy::Address& client, std::string_view domain) {
    const auto type = client.is_ipv4() ? RecordType::a : RecordType::aaaa;
    const auto names = client_names(lookups, client, domain);
    for (const auto& name : names) {
        lookups.start({name, type});
    }
    for (const auto& name : names) {
        const auto& answer = lookups.lookup({name, type});
        if (answer && std::ranges::find(answer->addresses, client) != answer->addresses.end()) {
            return name;
        }
    }
    return "unknown";
}

} // namespace verify
