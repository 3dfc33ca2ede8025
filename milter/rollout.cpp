#include "milter/rollout.hpp"

#include "milter/verify/domain.hpp"
#include "milter/verify/organization.hpp"

#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>

namespace milter {

namespace {

// In a library context of its own: to decode a key, as DKIM does for every signature, OpenSSL walks
// through all the algorithms that the common one has met.
EVP_MAC* hmac() {
    static OSSL_LIB_CTX* const library = OSSL_LIB_CTX_new();
    static EVP_MAC* const fetched = EVP_MAC_fetch(library, "HMAC", nullptr);
    return fetched;
}

// The first 53 bits of HMAC-SHA256: as many as a double holds.
std::uint64_t keyed_hash(std::string_view key, std::string_view text) {
    const auto octets = [](std::string_view all) {
        return reinterpret_cast<const unsigned char*>(all.data());
    };
    const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> mac{EVP_MAC_CTX_new(hmac()),
                                                                        EVP_MAC_CTX_free};
    std::array<char, 7> name{"SHA256"};
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string("digest", name.data(), 0), OSSL_PARAM_construct_end()};
    std::array<unsigned char, 32> digest{};
    std::size_t size = 0;
    if (!mac || EVP_MAC_init(mac.get(), octets(key), key.size(), parameters.data()) != 1 ||
        EVP_MAC_update(mac.get(), octets(text), text.size()) != 1 ||
        EVP_MAC_final(mac.get(), digest.data(), &size, digest.size()) != 1) {
        throw std::runtime_error{"EVP_MAC_init: no HMAC-SHA256 in this OpenSSL"};
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
