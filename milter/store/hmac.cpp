#include "milter/store/hmac.hpp"

#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstddef>
#include <stdexcept>

namespace store {

namespace {

// In a library context of its own: to decode a key, as DKIM does for every signature, OpenSSL walks
// through all the algorithms that the common one has met.
EVP_MAC* algorithm() {
    static OSSL_LIB_CTX* const library = OSSL_LIB_CTX_new();
    static EVP_MAC* const hmac = EVP_MAC_fetch(library, "HMAC", nullptr);
    return hmac;
}

const unsigned char* octets_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

} // namespace

void Hmac::Free::operator()(EVP_MAC_CTX* mac) const noexcept {
    EVP_MAC_CTX_free(mac);
}

Hmac::Hmac(std::string_view key) : mac_{EVP_MAC_CTX_new(algorithm())} {
    std::array<char, 7> digest{"SHA256"};
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0), OSSL_PARAM_construct_end()};
    if (!mac_ || EVP_MAC_init(mac_.get(), octets_of(key), key.size(), parameters.data()) != 1) {
        throw std::runtime_error{"EVP_MAC_init: no HMAC-SHA256 in this OpenSSL"};
    }
}

// To start anew with the key that it has costs less than half of a copy.
Hmac::Digest Hmac::digest(std::string_view text) {
    const std::lock_guard lock{mutex_};
    Digest digest{};
    std::size_t size = 0;
    if (EVP_MAC_init(mac_.get(), nullptr, 0, nullptr) != 1 ||
        EVP_MAC_update(mac_.get(), octets_of(text), text.size()) != 1 ||
        EVP_MAC_final(mac_.get(), digest.data(), &size, digest.size()) != 1) {
        throw std::runtime_error{"EVP_MAC_final: cannot hash"};
    }
    return digest;
}

} // namespace store
