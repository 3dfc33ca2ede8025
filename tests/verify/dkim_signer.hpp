// Signs messages as RFC 6376 says, with OpenSSL and without libopendkim: what verifies was
// canonicalized twice, by different hands.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tests {

struct Message {
    std::vector<std::pair<std::string, std::string>> fields; // value with its leading space
    std::string body;
};

// An ordinary message, unsigned.
Message ordinary_message();

class SigningKey {
public:
    static SigningKey rsa(unsigned bits);
    static SigningKey ed25519();

    // "v=DKIM1; k=...; " and `tags`, and p=.
    std::string record(std::string_view tags = "") const;

    // p=
    std::string public_key() const;

    // Base64. `hash` is sha1 or sha256; Ed25519 signs the hash (RFC 8463).
    std::string sign(std::string_view text, std::string_view hash) const;

private:
    explicit SigningKey(void* key);

    std::shared_ptr<void> key_; // EVP_PKEY
};

struct SigningOptions {
    std::string algorithm = "rsa-sha256";
    std::string canonicalization = "relaxed/relaxed";
    std::string sdid = "example.org";
    std::string selector = "sel";
    std::string header_list = "from:to:subject:date";
    std::string more_tags;              // "t=1; x=2; "
    std::optional<std::size_t> limit{}; // l=
    std::string version = "1";
};

// The value of a DKIM-Signature field for the message, folded as a milter gets it.
std::string signature_for(const Message& message, const SigningKey& key, const SigningOptions& how);

// The message with that field on top.
Message signed_message(Message message, const SigningKey& key, const SigningOptions& how = {});

} // namespace tests
