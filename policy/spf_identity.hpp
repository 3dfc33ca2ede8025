// Which of the two SPF identities speaks for a message (RFC 7208 section 2.4): MAIL FROM, and HELO
// for the null reverse-path.
#pragma once

#include "policy/evidence.hpp"

#include <optional>
#include <string>

namespace policy {

// Empty while it is not known.
inline const std::optional<SpfEvidence>& spf_that_counts(const Evidence& evidence) {
    return evidence.mail_from.empty() ? evidence.spf_helo : evidence.spf_mail_from;
}

// The domain whose record counts, as it was checked, or else as the client supplied it.
inline const std::string& spf_domain_of(const Evidence& evidence) {
    const auto& spf = spf_that_counts(evidence);
    if (spf && !spf->domain.empty()) {
        return spf->domain;
    }
    return evidence.mail_from.empty() ? evidence.helo : evidence.mail_from_domain;
}

} // namespace policy
