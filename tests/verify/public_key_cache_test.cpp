#include "milter/verify/public_key_cache.hpp"
#include "tests/verify/dkim_verification.hpp"

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using policy::DkimResult;
using tests::ordinary_message;
using tests::rsa_key;
using tests::signed_message;
using tests::SigningKey;
using tests::verified;

namespace {

// With so many keys kept while it lives, and none of before.
class KeptKeys {
public:
    explicit KeptKeys(std::size_t keys) {
        verify::set_public_key_cache(0);
        verify::set_public_key_cache(keys);
    }

    KeptKeys(const KeptKeys&) = delete;
    KeptKeys& operator=(const KeptKeys&) = delete;

    ~KeptKeys() { verify::set_public_key_cache(0); }

    std::uint64_t decoded() const {
        return verify::public_key_counters().decoded - before_.decoded;
    }

    std::uint64_t reused() const { return verify::public_key_counters().reused - before_.reused; }

private:
    verify::PublicKeyCounters before_ = verify::public_key_counters();
};

DkimResult result_with(const SigningKey& signer, const std::string& record) {
    return verified(signed_message(ordinary_message(), signer), record).at(0).result;
}

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string decoded_base64(const std::string& text) {
    std::string octets(text.size(), '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    REQUIRE(size > 0);
    const auto padding = text.size() - text.find_last_not_of('=') - 1;
    octets.resize(static_cast<std::size_t>(size) - padding);
    return octets;
}

// Reads from `octets` as they are, and as long as they are.
Bio bio_of(const std::string& octets) {
    return {BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())), BIO_free};
}

Key read_from(const Bio& bio) {
    return {d2i_PUBKEY_bio(bio.get(), nullptr), EVP_PKEY_free};
}

} // namespace

// This fails where libopendkim no longer comes to our d2i_PUBKEY_bio().
TEST_CASE("public keys: a key is decoded once for all messages") {
    const KeptKeys kept{10};
    for (int i = 0; i < 5; ++i) {
        CHECK(result_with(rsa_key(), rsa_key().record()) == DkimResult::pass);
    }
    CHECK(kept.decoded() == 1);
    CHECK(kept.reused() == 4);
}

TEST_CASE("public keys: a key that is known does not pass for another") {
    const KeptKeys kept{10};
    const auto other = SigningKey::rsa(2048);
    for (int i = 0; i < 2; ++i) {
        CHECK(result_with(rsa_key(), rsa_key().record()) == DkimResult::pass);
        CHECK(result_with(rsa_key(), other.record()) == DkimResult::fail);
        CHECK(result_with(other, other.record()) == DkimResult::pass);
    }
    CHECK(kept.decoded() == 2);
}

TEST_CASE("public keys: none is kept where none is asked for") {
    const KeptKeys kept{0};
    for (int i = 0; i < 2; ++i) {
        CHECK(result_with(rsa_key(), rsa_key().record()) == DkimResult::pass);
    }
    CHECK(kept.decoded() == 2);
    CHECK(kept.reused() == 0);
}

TEST_CASE("public keys: those used last are kept") {
    const KeptKeys kept{2};
    const std::vector keys{SigningKey::rsa(1024), SigningKey::rsa(1024), SigningKey::rsa(1024)};
    for (const std::size_t i : {0U, 1U, 0U, 2U, 0U, 1U}) { // 2 takes the place of 1
        CHECK(result_with(keys[i], keys[i].record()) == DkimResult::pass);
    }
    CHECK(kept.decoded() == 4);
    CHECK(kept.reused() == 2);
}

TEST_CASE("public keys: what cannot be decoded is not kept") {
    const KeptKeys kept{10};
    for (int i = 0; i < 2; ++i) {
        CHECK(result_with(rsa_key(), "v=DKIM1; k=rsa; p=MFwwDQYJ") == DkimResult::permerror);
    }
    CHECK(kept.decoded() == 0);
    CHECK(kept.reused() == 0);
}

TEST_CASE("public keys: as many are read as OpenSSL reads") {
    const KeptKeys kept{10};
    const auto octets = decoded_base64(rsa_key().public_key());
    const auto twice = octets + octets;
    const auto two = bio_of(twice);
    for (int i = 0; i < 2; ++i) {
        CHECK(read_from(two) != nullptr);
    }
    CHECK(BIO_pending(two.get()) == 0);
    CHECK(read_from(two) == nullptr);

    const auto one = bio_of(octets);
    const auto known = read_from(one);
    CHECK(BIO_pending(one.get()) == 0);
    const auto again = read_from(bio_of(octets));
    CHECK(known == again);
    CHECK(kept.reused() > 0);
}

TEST_CASE("public keys: a key of the caller's is not shared") {
    const KeptKeys kept{10};
    const auto octets = decoded_base64(rsa_key().public_key());
    const auto known = read_from(bio_of(octets));
    EVP_PKEY* into = EVP_PKEY_new();
    CHECK(d2i_PUBKEY_bio(bio_of(octets).get(), &into) == into);
    const Key own{into, EVP_PKEY_free};
    CHECK(own != known);
    CHECK(EVP_PKEY_eq(own.get(), known.get()) == 1);
}

TEST_CASE("public keys: several threads share one while others go") {
    const KeptKeys kept{1};
    const auto other = SigningKey::rsa(1024);
    const auto of_first = signed_message(ordinary_message(), rsa_key());
    const auto of_other = signed_message(ordinary_message(), other);
    std::vector<int> passed(4);
    std::vector<std::thread> threads;
    threads.reserve(passed.size());
    for (auto& count : passed) {
        threads.emplace_back([&] {
            for (int i = 0; i < 10; ++i) {
                const auto first = verified(of_first, rsa_key().record()).at(0).result;
                const auto second = verified(of_other, other.record()).at(0).result;
                count += first == DkimResult::pass && second == DkimResult::pass ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(passed == std::vector<int>(4, 10));
}
