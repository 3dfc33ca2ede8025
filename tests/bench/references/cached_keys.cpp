// Stands in for OpenSSL's d2i_PUBKEY_bio() in libopendkim: a public key that was met before is not
// decoded again. OpenSSL 3.0's decoders cost more than all the rest of a small message. Without a
// bound, because the corpus has one.
#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/evp.h>

#include <mutex>
#include <string>
#include <unordered_map>

// NOLINTNEXTLINE(readability-identifier-naming): OpenSSL's
extern "C" EVP_PKEY* d2i_PUBKEY_bio(BIO* bio, EVP_PKEY** out) {
    using Function = EVP_PKEY* (*)(BIO*, EVP_PKEY**);
    static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "d2i_PUBKEY_bio"));
    static std::mutex mutex; // guards the keys
    static std::unordered_map<std::string, EVP_PKEY*> keys;
    char* octets = nullptr;
    const long size = BIO_ctrl(bio, BIO_CTRL_INFO, 0, static_cast<void*>(&octets));
    const std::string encoded{octets, static_cast<std::size_t>(size)};
    const std::lock_guard lock{mutex};
    EVP_PKEY*& key = keys[encoded];
    if (key == nullptr) {
        key = real(bio, out);
    }
    if (key != nullptr) {
        EVP_PKEY_up_ref(key);
    }
    return key;
}
