#include "policy/hints.hpp"

#include "policy/address_kind.hpp"
#include "policy/printable.hpp"
#include "policy/remedy.hpp"
#include "policy/spf_identity.hpp"

#include <optional>

namespace policy {

namespace {

using Hint = std::optional<std::string>;

// A host that is found by its name has an address that stays, however it looks.
bool lacks_reverse_name(const Evidence& evidence) {
    return evidence.iprev && (evidence.iprev->result == IprevResult::fail ||
                              evidence.iprev->result == IprevResult::permerror);
}

Hint client_hint(const Evidence& evidence) {
    const std::string client = evidence.client->to_string();
    switch (address_kind_of(*evidence.client)) {
    case AddressKind::ordinary: break;
    case AddressKind::six_to_four:
        return client + " is a 6to4 address: a mail host needs an IPv6 address of its network.";
    case AddressKind::teredo:
        return client + " is a Teredo address: a mail host needs an IPv6 address of its network.";
    case AddressKind::nat64:
        return client + " is a NAT64 address, which stands for a host that has IPv4.";
    case AddressKind::ipv4_compatible:
        return client + " is an IPv4-compatible address, which is no longer in use.";
    case AddressKind::unique_local:
        return client + " is a unique-local address, which is nobody's outside its own network.";
    case AddressKind::eui64:
        if (lacks_reverse_name(evidence)) {
            return client + " was made from a network card's address (EUI-64): mail should leave "
                            "by the address that has its name in DNS.";
        }
        break;
    case AddressKind::temporary:
        if (lacks_reverse_name(evidence)) {
            return client + " looks like a temporary (privacy) address: mail should leave by the "
                            "address that has its name in DNS.";
        }
        break;
    }
    return std::nullopt;
}

// As the zone has it: an Address that was IPv4-mapped is the IPv4 address.
std::string aaaa_text(const Address& address) {
    return (address.is_ipv4() ? "::ffff:" : "") + address.to_string();
}

// The first one: who has made it so has made all so.
Hint conversion_hint(const Evidence& evidence) {
    for (const auto& name : evidence.iprev.value_or(IprevEvidence{}).names) {
        for (const auto& address : name.addresses) {
            if (address != evidence.client && converted_from(address)) {
                return "AAAA " + aaaa_text(address) + " of " + printable(name.name) +
                       " looks made from an IPv4 address: it has to be the host's own IPv6 "
                       "address.";
            }
        }
    }
    return std::nullopt;
}

// A forwarder's mail carries the author's domain, and no record of that domain is amiss. What a
// stranger sends in its name is no host of its record.
Hint spf_hint(const Evidence& evidence) {
    const auto& spf = spf_that_counts(evidence);
    if (!spf || !spf->lists_only_ipv4 || evidence.is_forwarded) {
        return std::nullopt;
    }
    const std::string lacks = is_host_of_sender(evidence)
                                  ? "it lacks ip6:" + evidence.client->to_string()
                                  : "it lacks every host on IPv6";
    switch (spf->result) {
    case SpfResult::fail:
    case SpfResult::softfail:
    case SpfResult::neutral:
        return "SPF of " + printable(spf_domain_of(evidence)) + " has ip4 and no ip6: " + lacks +
               '.';
    case SpfResult::none:
    case SpfResult::pass:
    case SpfResult::policy:
    case SpfResult::temperror:
    case SpfResult::permerror: break;
    }
    return std::nullopt;
}

Hint sender_domain_hint(const Evidence& evidence) {
    const auto& found = evidence.sender_domain;
    const bool is_literal = evidence.mail_from_domain.starts_with('[');
    if (!found || found->result != SenderDomainResult::reachable || found->has_ipv6 || is_literal) {
        return std::nullopt;
    }
    return "No mail host of " + printable(evidence.mail_from_domain) +
           " has an AAAA record: replies and bounces need IPv4.";
}

} // namespace

std::vector<std::string> hints_of(const Evidence& evidence) {
    std::vector<std::string> hints;
    if (!evidence.client || evidence.client->is_ipv4()) {
        return hints;
    }
    for (const auto hint_of : {client_hint, conversion_hint, spf_hint, sender_domain_hint}) {
        if (auto hint = hint_of(evidence)) {
            hints.push_back(*std::move(hint));
        }
    }
    return hints;
}

} // namespace policy
