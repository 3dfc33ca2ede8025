#include "milter/verify/public_key_cache.hpp"

#include "milter/verify/c_handle.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <exception>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace verify {

namespace {

using PublicKey = CHandle<EVP_PKEY, EVP_PKEY_free>;

// As it stands in a key record of 1,024 octets, the longest that libopendkim reads.
constexpr std::size_t longest_encoding = 1'024;

// What OpenSSL's d2i_PUBKEY_bio() does, word for word of its manual.
EVP_PKEY* decode(BIO* source, EVP_PKEY** into) {
    return ASN1_d2i_bio_of(EVP_PKEY, EVP_PKEY_new, d2i_PUBKEY, source, into);
}

// Another owner of the same key.
PublicKey shared(const PublicKey& key) {
    EVP_PKEY_up_ref(key.get());
    return PublicKey{key.get()};
}

class PublicKeyCache {
public:
    void set_limit(std::size_t keys) {
        const std::lock_guard lock{mutex_};
        limit_ = keys;
        trim();
    }

    PublicKeyCounters counters() const {
        const std::lock_guard lock{mutex_};
        return counters_;
    }

    // Null where it is not here.
    PublicKey find(std::string_view encoding) {
        const std::lock_guard lock{mutex_};
        const auto found = places_.find(encoding);
        if (found == places_.end()) {
            return nullptr;
        }
        entries_.splice(entries_.begin(), entries_, found->second);
        ++counters_.reused;
        return shared(found->second->key);
    }

    void add(std::string encoding, const PublicKey& key) {
        const std::lock_guard lock{mutex_};
        ++counters_.decoded;
        if (places_.contains(encoding)) {
            return; // another thread has decoded it meanwhile
        }
        entries_.push_front({std::move(encoding), shared(key)});
        places_.emplace(entries_.front().encoding, entries_.begin());
        trim();
    }

private:
    struct Entry {
        std::string encoding;
        PublicKey key;
    };

    using Entries = std::list<Entry>; // that used last comes first

    void trim() {
        while (entries_.size() > limit_) {
            places_.erase(entries_.back().encoding);
            entries_.pop_back();
        }
    }

    mutable std::mutex mutex_; // guards what follows; no key is decoded under it
    std::size_t limit_ = 0;
    PublicKeyCounters counters_;
    Entries entries_;
    std::unordered_map<std::string_view, Entries::iterator> places_; // the views are the entries'
};

PublicKeyCache& cache() {
    static PublicKeyCache instance;
    return instance;
}

// What is left to read, where all of it is in memory and may be a key; otherwise empty.
std::string_view encoding_in(BIO* source) {
    const char* first = nullptr;
    if (source == nullptr || BIO_method_type(source) != BIO_TYPE_MEM) {
        return {};
    }
    const long size = BIO_get_mem_data(source, &first);
    const bool may_be_key = size > 0 && static_cast<std::size_t>(size) <= longest_encoding;
    return may_be_key ? std::string_view{first, static_cast<std::size_t>(size)}
                      : std::string_view{};
}

void skip_all(BIO* source) {
    std::array<char, longest_encoding> skipped{};
    BIO_read(source, skipped.data(), static_cast<int>(skipped.size()));
}

PublicKey decode_once(BIO* source) {
    const std::string encoding{encoding_in(source)};
    if (encoding.empty()) {
        return PublicKey{decode(source, nullptr)};
    }
    if (auto known = cache().find(encoding)) {
        skip_all(source);
        return known;
    }
    PublicKey key{decode(source, nullptr)};
    if (key != nullptr && BIO_pending(source) == 0) { // the key, and nothing after it
        cache().add(encoding, key);
    }
    return key;
}

} // namespace

void set_public_key_cache(std::size_t keys) {
    cache().set_limit(keys);
}

PublicKeyCounters public_key_counters() {
    return cache().counters();
}

} // namespace verify

// Takes the place of OpenSSL's, whose declaration this is.
extern "C" EVP_PKEY* d2i_PUBKEY_bio(BIO* bp,
                                    EVP_PKEY** a) { // NOLINT(readability-identifier-naming)
    if (a != nullptr) {
        return verify::decode(bp, a); // into a key of the caller's
    }
    try {
        return verify::decode_once(bp).release();
    } catch (const std::exception&) { // no memory: as OpenSSL has it
        return nullptr;
    }
}
