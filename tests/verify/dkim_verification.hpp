// One message through DkimVerifier, as Session would send it.
#pragma once

#include "milter/verify/dkim.hpp"
#include "tests/verify/dkim_signer.hpp"
#include "tests/verify/fake_resolver.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

inline std::span<const unsigned char> octets(std::string_view text) {
    return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

constexpr std::size_t whole = 65536;

// The body comes in pieces of `piece` octets.
inline std::vector<policy::DkimSignature>
verified(const Message& message, FakeResolver& dns, std::size_t piece = whole) {
    verify::Lookups lookups{dns};
    verify::DkimVerifier dkim;
    for (const auto& [name, value] : message.fields) {
        dkim.header(name, value);
    }
    dkim.end_of_header(lookups);
    for (std::size_t at = 0; at < message.body.size(); at += piece) {
        dkim.body(octets(std::string_view{message.body}.substr(at, piece)));
    }
    lookups.set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds{20});
    return dkim.end_of_message(lookups);
}

// The same with one key at sel._domainkey.example.org.
inline std::vector<policy::DkimSignature> verified(const Message& message,
                                                   const std::string& record) {
    FakeResolver dns;
    dns.add_txt("sel._domainkey.example.org", record);
    return verified(message, dns);
}

// Made once: they take their time.
inline const SigningKey& rsa_key() {
    static const auto key = SigningKey::rsa(2048);
    return key;
}

inline const SigningKey& ed25519_key() {
    static const auto key = SigningKey::ed25519();
    return key;
}

} // namespace tests
