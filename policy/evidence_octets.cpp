#include "policy/evidence_octets.hpp"

#include <string>

namespace policy {

namespace {

std::size_t octets_of(const SpfEvidence& spf) {
    return spf.domain.size() + spf.mechanism.size() + spf.problem.size() + spf.explanation.size();
}

std::size_t octets_of(const DkimSignature& signature) {
    return sizeof signature + signature.sdid.size() + signature.auid.size() +
           signature.selector.size() + signature.algorithm.size() + signature.signature.size() +
           signature.problem.size();
}

} // namespace

std::size_t octets_of(const Evidence& evidence) {
    std::size_t octets = sizeof evidence + evidence.helo.size() + evidence.mail_from.size() +
                         evidence.mail_from_domain.size();
    octets += evidence.from_domain.value_or("").size() + evidence.listener.name.size() +
              evidence.listener.address.size() + evidence.listener.port.size();
    for (const auto& each : evidence.organizations) {
        octets += sizeof each + each.domain.size() + each.organizational_domain.size();
    }
    for (const auto& recipient : evidence.recipients) {
        octets += sizeof(std::string) + recipient.size();
    }
    if (evidence.iprev) {
        for (const auto& name : evidence.iprev->names) {
            octets += sizeof name + name.name.size() + name.addresses.size() * sizeof(Address);
        }
    }
    for (const auto* const spf : {&evidence.spf_mail_from, &evidence.spf_helo}) {
        octets += *spf ? octets_of(**spf) : 0;
    }
    if (evidence.dkim) {
        for (const auto& signature : *evidence.dkim) {
            octets += octets_of(signature);
        }
    }
    return octets;
}

} // namespace policy
