#include "milter/rollout.hpp"

#include "milter/verify/domain.hpp"
#include "milter/verify/organization.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>

namespace milter {

namespace {

// The first 53 bits of HMAC-SHA256: as many as a double holds.
std::uint64_t keyed_hash(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    const auto* const octets = reinterpret_cast<const unsigned char*>(text.data());
    if (HMAC(EVP_sha256(),
             key.data(),
             static_cast<int>(key.size()),
             octets,
             text.size(),
             digest.data(),
             nullptr) == nullptr) {
        throw std::runtime_error{"HMAC: no HMAC-SHA256 in this OpenSSL"};
    }
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof bits; ++i) {
        bits = bits << 8U | digest.at(i);
    }
    return bits >> 11U;
}

} // namespace

double percentile_of(const policy::Evidence& evidence, std::string_view key) {
    const std::string domain =
        evidence.mail_from.empty() ? verify::to_a_labels(evidence.helo) : evidence.mail_from_domain;
    const std::uint64_t hash = keyed_hash(key, verify::organizational_domain(domain));
    return std::ldexp(static_cast<double>(hash), -53) * 100;
}

policy::JournalEntry placed(policy::JournalEntry entry, std::string_view key) {
    if (!key.empty()) {
        entry.evidence.percentile = percentile_of(entry.evidence, key);
    }
    return entry;
}

} // namespace milter
