#include "policy/sender_kind.hpp"

#include "policy/ascii.hpp"
#include "policy/words.hpp"

#include <algorithm>

namespace policy {

namespace {

constexpr auto kind_words = std::to_array<Word<SenderKind>>({
    {SenderKind::own_range, "own_range"},
    {SenderKind::null_path, "null_path"},
    {SenderKind::mailing_list, "mailing_list"},
    {SenderKind::forwarded, "forwarded"},
    {SenderKind::direct, "direct"},
});

bool is_unique_local(const Address& address) {
    return (address.bytes()[0] & 0xfeU) == 0xfc;
}

bool is_beside(const Address& client, std::string_view listener) {
    const auto address = Address::parse(listener);
    const bool is_told = address && !address->is_ipv4() && !address->is_loopback() &&
                         !address->is_link_local() && !address->is_unspecified();
    return is_told && network_of(*address) == network_of(client);
}

bool is_in_domain(std::string_view name, std::string_view domain) {
    if (name.size() <= domain.size()) {
        return same_name(name, domain);
    }
    const auto tail = name.substr(name.size() - domain.size());
    return name[name.size() - domain.size() - 1] == '.' && same_name(tail, domain);
}

bool is_of_our_own(const Evidence& evidence, std::string_view own_host) {
    if (!evidence.client) {
        return false;
    }
    const std::string own_domain = domain_of_host(own_host);
    const bool is_named = own_domain.find('.') != std::string::npos; // not "localhost"
    return is_unique_local(*evidence.client) ||
           is_beside(*evidence.client, evidence.listener.address) ||
           (is_named && has_name_in(evidence, own_domain));
}

// Without the list of public suffixes: "co.uk", "com.br". Of "gmx.de" it is wrong, and then a
// host's name stands for itself.
bool looks_like_registry(std::string_view domain) {
    const auto dot = domain.find('.');
    return dot <= 3 && domain.size() == dot + 3;
}

} // namespace

std::optional<SenderKind> ByKind::most_frequent() const {
    const auto* const most = std::ranges::max_element(counts_);
    return *most == 0
               ? std::nullopt
               : std::optional{all_sender_kinds[static_cast<std::size_t>(most - counts_.begin())]};
}

std::string_view to_string(SenderKind kind) {
    return word_for(kind_words, kind);
}

SenderKind kind_of(const Evidence& evidence, std::string_view own_host) {
    if (is_of_our_own(evidence, own_host)) {
        return SenderKind::own_range;
    }
    if (evidence.mail_from.empty()) {
        return SenderKind::null_path;
    }
    if (evidence.is_from_list) {
        return SenderKind::mailing_list;
    }
    return evidence.is_forwarded ? SenderKind::forwarded : SenderKind::direct;
}

std::string domain_of_host(std::string_view host) {
    if (host.ends_with('.')) {
        host.remove_suffix(1);
    }
    const auto dot = host.find('.');
    if (host.starts_with('[') || dot == std::string_view::npos) { // an address, or a single label
        return to_lower(host);
    }
    const auto rest = host.substr(dot + 1);
    const bool is_domain = rest.find('.') != std::string_view::npos && !looks_like_registry(rest);
    return to_lower(is_domain ? rest : host);
}

std::string_view confirmed_name(const Evidence& evidence) {
    if (!evidence.iprev) {
        return {};
    }
    const auto& names = evidence.iprev->names;
    const auto found = std::ranges::find(names, NameOutcome::leads_back, &IprevName::outcome);
    return found == names.end() ? std::string_view{} : found->name;
}

bool has_name_in(const Evidence& evidence, std::string_view domain) {
    return evidence.iprev && std::ranges::any_of(evidence.iprev->names, [&](const IprevName& name) {
               return name.outcome == NameOutcome::leads_back && is_in_domain(name.name, domain);
           });
}

std::string domain_of_client(const Evidence& evidence) {
    const auto name = confirmed_name(evidence);
    return domain_of_host(name.empty() ? std::string_view{evidence.helo} : name);
}

} // namespace policy
