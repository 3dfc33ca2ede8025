#include "milter/verify/public_key_cache.hpp"

#include "milter/verify/c_handle.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <list>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <string_view>

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
    // OpenSSL ends when the program does, and after what is made here (atexit(3)).
    PublicKeyCache() { OPENSSL_init_crypto(0, nullptr); }

    void set_limit(std::size_t keys) {
        Entries removed; // destroyed after the lock
        const std::lock_guard lock{mutex_};
        limit_ = keys;
        removed = beyond_limit();
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

    void add(std::string_view encoding, const PublicKey& key) {
        Entries added;
        added.push_front({std::string{encoding}, shared(key)});
        Entries removed;
        const std::lock_guard lock{mutex_};
        ++counters_.decoded;
        // Another thread may have decoded it meanwhile.
        if (limit_ > 0 && places_.emplace(added.front().encoding, added.begin()).second) {
            entries_.splice(entries_.begin(), added);
            removed = beyond_limit();
        }
    }

private:
    struct Entry {
        std::string encoding;
        PublicKey key;
    };

    using Entries = std::list<Entry>; // that used last comes first

    Entries beyond_limit() {
        Entries removed;
        while (entries_.size() > limit_) {
            places_.erase(entries_.back().encoding);
            removed.splice(removed.begin(), entries_, std::prev(entries_.end()));
        }
        return removed;
    }

    mutable std::mutex mutex_; // guards what follows; no key is decoded or freed under it
    std::size_t limit_ = 0;
    PublicKeyCounters counters_;
    Entries entries_;
    std::map<std::string_view, Entries::iterator> places_; // the views are the entries'
};

PublicKeyCache& cache() {
    static PublicKeyCache instance;
    return instance;
}

// What is left to read, where all of it is in memory and may be a key; otherwise empty.
class Encoding {
public:
    explicit Encoding(BIO* source) {
        const char* first = nullptr;
        if (source == nullptr || BIO_method_type(source) != BIO_TYPE_MEM) {
            return;
        }
        const long size = BIO_get_mem_data(source, &first);
        if (size > 0 && static_cast<std::size_t>(size) <= octets_.size()) {
            size_ = static_cast<std::size_t>(size);
            std::copy_n(first, size_, octets_.begin());
        }
    }

    std::string_view text() const { return {octets_.data(), size_}; }

private:
    std::array<char, longest_encoding> octets_{};
    std::size_t size_ = 0;
};

void skip_all(BIO* source) {
    std::array<char, longest_encoding> skipped{};
    BIO_read(source, skipped.data(), static_cast<int>(skipped.size()));
}

PublicKey decode_once(BIO* source) {
    const Encoding encoding{source};
    if (auto known = cache().find(encoding.text())) {
        skip_all(source);
        return known;
    }
    PublicKey key{decode(source, nullptr)};
    const bool is_all = !encoding.text().empty() && BIO_pending(source) == 0;
    if (key != nullptr && is_all) {
        try {
            cache().add(encoding.text(), key);
        } catch (const std::bad_alloc&) {
            return key; // and it is decoded again next time
        }
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
extern "C" EVP_PKEY* d2i_PUBKEY_bio(BIO* bp, // NOLINT(readability-identifier-naming)
                                    EVP_PKEY** a) {
    return a != nullptr ? verify::decode(bp, a) // into a key of the caller's
                        : verify::decode_once(bp).release();
}
