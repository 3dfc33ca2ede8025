#include "tests/verify/dkim_signer.hpp"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>

namespace tests {

namespace {

using Field = std::pair<std::string, std::string>;
using Octets = std::vector<unsigned char>;

EVP_PKEY* pkey(const std::shared_ptr<void>& key) {
    return static_cast<EVP_PKEY*>(key.get());
}

std::string base64(std::span<const unsigned char> octets) {
    std::string text(octets.size() / 3 * 4 + 5, '\0');
    const auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                      octets.data(),
                                      static_cast<int>(octets.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

Octets digest(std::string_view text, std::string_view hash) {
    Octets result(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    EVP_Digest(text.data(),
               text.size(),
               result.data(),
               &size,
               EVP_get_digestbyname(std::string{hash}.c_str()),
               nullptr);
    result.resize(size);
    return result;
}

std::string lower(std::string_view text) {
    std::string result{text};
    std::ranges::transform(
        result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

// Runs of white space become one space; none at the end.
std::string squeezed(std::string_view line) {
    std::string result;
    for (const char c : line) {
        if (!is_space(c)) {
            result += c;
        } else if (!result.ends_with(' ')) {
            result += ' ';
        }
    }
    return result.ends_with(' ') ? result.substr(0, result.size() - 1) : result;
}

std::string with_crlf(std::string_view value) {
    std::string result;
    for (const char c : value) {
        result += c == '\n' && !result.ends_with('\r') ? "\r\n" : std::string(1, c);
    }
    return result;
}

std::string canonical_field(const Field& field, bool is_relaxed) {
    if (!is_relaxed) {
        return field.first + ":" + with_crlf(field.second);
    }
    std::string value = field.second;
    std::erase_if(value, [](char c) { return c == '\r' || c == '\n'; });
    value = squeezed(value);
    return lower(field.first) + ":" + (value.starts_with(' ') ? value.substr(1) : value);
}

std::string canonical_body(std::string_view body, bool is_relaxed) {
    std::string result;
    while (!body.empty()) {
        const auto end = std::min(body.find("\r\n"), body.size());
        const auto line = body.substr(0, end);
        result += (is_relaxed ? squeezed(line) : std::string{line}) + "\r\n";
        body.remove_prefix(std::min(end + 2, body.size()));
    }
    while (result.ends_with("\r\n\r\n")) {
        result.resize(result.size() - 2);
    }
    if (result == "\r\n" && is_relaxed) {
        result.clear();
    }
    return result.empty() && !is_relaxed ? "\r\n" : result;
}

std::string signed_fields(const Message& message, const std::string& list, bool is_relaxed) {
    std::string result;
    std::set<std::size_t> used;
    std::istringstream names{list};
    for (std::string name; std::getline(names, name, ':');) {
        for (auto i = message.fields.size(); i-- > 0;) {
            if (lower(message.fields[i].first) == lower(name) && used.insert(i).second) {
                result += canonical_field(message.fields[i], is_relaxed) + "\r\n";
                break;
            }
        }
    }
    return result;
}

} // namespace

Message ordinary_message() {
    return {{{"Received", " from a.example by b.example; Thu, 1 Jan 2026 00:00:00 +0000"},
             {"From", " Alice <alice@example.org>"},
             {"To", " bob@example.net"},
             {"Subject", " A  subject that is\n\tfolded, with  spaces "},
             {"Date", " Thu, 1 Jan 2026 00:00:00 +0000"},
             {"Message-ID", " <1@example.org>"}},
            "First  line \r\n\r\n \tsecond\tline\r\n\r\n\r\n"};
}

SigningKey::SigningKey(void* key)
    : key_{key, [](void* owned) { EVP_PKEY_free(static_cast<EVP_PKEY*>(owned)); }} {
    if (key == nullptr) {
        throw std::runtime_error{"OpenSSL makes no such key"};
    }
}

SigningKey SigningKey::rsa(unsigned bits) {
    return SigningKey{EVP_RSA_gen(bits)};
}

SigningKey SigningKey::ed25519() {
    return SigningKey{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
}

std::string SigningKey::record(std::string_view tags) const {
    const bool is_rsa = EVP_PKEY_get_base_id(pkey(key_)) == EVP_PKEY_RSA;
    return std::string{"v=DKIM1; k="} + (is_rsa ? "rsa" : "ed25519") + "; " + std::string{tags} +
           "p=" + public_key();
}

std::string SigningKey::public_key() const {
    if (EVP_PKEY_get_base_id(pkey(key_)) == EVP_PKEY_ED25519) {
        Octets raw(32);
        std::size_t size = raw.size();
        EVP_PKEY_get_raw_public_key(pkey(key_), raw.data(), &size);
        return base64(raw);
    }
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(pkey(key_), &der);
    auto text = base64({der, static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    return text;
}

std::string SigningKey::sign(std::string_view text, std::string_view hash) const {
    const bool is_rsa = EVP_PKEY_get_base_id(pkey(key_)) == EVP_PKEY_RSA;
    const auto hashed = digest(text, hash);
    const std::shared_ptr<EVP_MD_CTX> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    const auto* method = is_rsa ? EVP_get_digestbyname(std::string{hash}.c_str()) : nullptr;
    const auto* input =
        is_rsa ? reinterpret_cast<const unsigned char*>(text.data()) : hashed.data();
    Octets result(1024);
    std::size_t size = result.size();
    if (EVP_DigestSignInit(context.get(), nullptr, method, nullptr, pkey(key_)) != 1 ||
        EVP_DigestSign(
            context.get(), result.data(), &size, input, is_rsa ? text.size() : hashed.size()) !=
            1) {
        throw std::runtime_error{"OpenSSL does not sign"};
    }
    return base64({result.data(), size});
}

std::string
signature_for(const Message& message, const SigningKey& key, const SigningOptions& how) {
    const bool is_relaxed_header = how.canonicalization.starts_with("relaxed");
    const bool is_relaxed_body = how.canonicalization.ends_with("/relaxed");
    const auto hash = how.algorithm.substr(how.algorithm.find('-') + 1);
    const auto body = canonical_body(message.body, is_relaxed_body)
                          .substr(0, how.limit.value_or(std::string::npos));
    const auto limit = how.limit ? "l=" + std::to_string(*how.limit) + "; " : std::string{};
    const auto value = " v=" + how.version + "; a=" + how.algorithm +
                       "; c=" + how.canonicalization + "; d=" + how.sdid +
                       ";\n\ts=" + how.selector + "; " + how.more_tags + limit +
                       "h=" + how.header_list + ";\n\tbh=" + base64(digest(body, hash)) + ";\n\tb=";
    const auto text = signed_fields(message, how.header_list, is_relaxed_header) +
                      canonical_field({"DKIM-Signature", value}, is_relaxed_header);
    auto signature = key.sign(text, hash);
    if (signature.size() > 70) {
        signature.insert(64, "\n\t ");
    }
    return value + signature;
}

Message signed_message(Message message, const SigningKey& key, const SigningOptions& how) {
    auto value = signature_for(message, key, how);
    message.fields.insert(message.fields.begin(), {"DKIM-Signature", std::move(value)});
    return message;
}

} // namespace tests
