#include "milter/rollout.hpp"

#include "milter/store/hmac.hpp"
#include "milter/verify/domain.hpp"
#include "milter/verify/organization.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace milter {

namespace {

// The first 53 bits: as many as a double holds.
std::uint64_t keyed_hash(std::string_view key, std::string_view text) {
    const store::Hmac::Digest digest = store::Hmac{key}.digest(text);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof bits; ++i) {
        bits = bits << 8U | digest.at(i);
    }
    return bits >> 11U;
}

} // namespace

std::string organization_of_sender(const policy::Evidence& evidence) {
    const std::string domain =
        evidence.mail_from.empty() ? verify::to_a_labels(evidence.helo) : evidence.mail_from_domain;
    return verify::organizational_domain(domain);
}

double percentile_of(const policy::Evidence& evidence, std::string_view key) {
    const std::uint64_t hash = keyed_hash(key, organization_of_sender(evidence));
    return std::ldexp(static_cast<double>(hash), -53) * 100;
}

policy::JournalEntry placed(policy::JournalEntry entry, std::string_view key) {
    if (!key.empty()) {
        entry.evidence.percentile = percentile_of(entry.evidence, key);
    }
    return entry;
}

} // namespace milter
