// HMAC-SHA256 (RFC 2104) with one key.
#pragma once

#include <openssl/types.h>

#include <array>
#include <memory>
#include <mutex>
#include <string_view>

namespace store {

// May be used by many threads at once, one after the other. Throws std::runtime_error where OpenSSL
// has no HMAC-SHA256.
class Hmac {
public:
    using Digest = std::array<unsigned char, 32>;

    explicit Hmac(std::string_view key);

    Digest digest(std::string_view text);

private:
    struct Free {
        void operator()(EVP_MAC_CTX* mac) const noexcept;
    };

    std::mutex mutex_; // guards mac_
    std::unique_ptr<EVP_MAC_CTX, Free> mac_;
};

} // namespace store
