#include "milter/store/redis_tls.hpp"

#include "milter/store/store.hpp"
#include "policy/address.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <system_error>

namespace store {

namespace {

// In a library context of its own, as hmac.cpp says.
OSSL_LIB_CTX* library() {
    static OSSL_LIB_CTX* const context = OSSL_LIB_CTX_new();
    return context;
}

// The first one, which says why the others came.
std::string first_error() {
    const unsigned long error = ERR_peek_error();
    const char* const reason = ERR_reason_error_string(error);
    if (reason != nullptr) {
        return reason;
    }
    return ERR_SYSTEM_ERROR(error) ? std::generic_category().message(ERR_GET_REASON(error))
                                   : "OpenSSL does not say why";
}

} // namespace

void RedisTls::Free::operator()(SSL_CTX* context) const noexcept {
    SSL_CTX_free(context);
}

void RedisTls::Free::operator()(SSL* session) const noexcept {
    SSL_free(session);
}

RedisTls::RedisTls(RedisSocket& socket,
                   const RedisUrl& url,
                   const std::string& ca_file,
                   Deadline deadline)
    : socket_{socket}, name_{url.text}, context_{SSL_CTX_new_ex(
                                            library(), nullptr, TLS_client_method())} {
    ERR_clear_error();
    if (!context_) {
        fail("no TLS in this OpenSSL: " + first_error());
    }
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    const int is_loaded = ca_file.empty()
                              ? SSL_CTX_set_default_verify_paths(context_.get())
                              : SSL_CTX_load_verify_file(context_.get(), ca_file.c_str());
    if (is_loaded != 1) {
        fail((ca_file.empty() ? "the certificates of the system" : ca_file) +
             " cannot be read: " + first_error());
    }
    session_.reset(SSL_new(context_.get()));
    from_server_ = BIO_new(BIO_s_mem());
    to_server_ = BIO_new(BIO_s_mem());
    SSL_set_bio(session_.get(), from_server_, to_server_);
    SSL_set_connect_state(session_.get());
    expect(url.host);
    shake_hands(deadline);
}

void RedisTls::fail(const std::string& what) const {
    throw StoreError{name_ + ": " + what};
}

// A name goes to the server, too, which may have several; an address must not (RFC 6066 section 3).
void RedisTls::expect(const std::string& host) {
    bool is_set = false;
    if (policy::Address::parse(host)) {
        is_set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session_.get()), host.c_str()) == 1;
    } else {
        std::string name = host;
        // SSL_set_tlsext_host_name() is a macro with a cast of C.
        is_set = SSL_set1_host(session_.get(), host.c_str()) == 1 &&
                 SSL_ctrl(session_.get(),
                          SSL_CTRL_SET_TLSEXT_HOSTNAME,
                          TLSEXT_NAMETYPE_host_name,
                          name.data()) == 1;
    }
    if (!is_set) {
        fail("its host cannot be verified: " + first_error());
    }
}

void RedisTls::shake_hands(Deadline deadline) {
    while (true) {
        const int done = SSL_do_handshake(session_.get());
        const int error = SSL_get_error(session_.get(), done);
        send_waiting(deadline); // also the alert that says why not
        if (done == 1) {
            return;
        }
        if (error != SSL_ERROR_WANT_READ) {
            const long verified = SSL_get_verify_result(session_.get());
            fail(verified == X509_V_OK
                     ? "no TLS with it: " + first_error()
                     : std::string{"its certificate does not verify: "} +
                           X509_verify_cert_error_string(verified) + " (store.ca_file)");
        }
        receive_more(deadline);
    }
}

void RedisTls::send_waiting(Deadline deadline) {
    char* octets = nullptr;
    const long length = BIO_get_mem_data(to_server_, &octets);
    if (length > 0) {
        socket_.send({octets, static_cast<std::size_t>(length)}, deadline);
        BIO_reset(to_server_);
    }
}

void RedisTls::receive_more(Deadline deadline) {
    std::array<char, 16'384> room{};
    const std::size_t received = socket_.receive(room, deadline);
    BIO_write(from_server_, room.data(), static_cast<int>(received));
}

void RedisTls::send(std::string_view octets, Deadline deadline) {
    ERR_clear_error();
    std::size_t written = 0;
    if (SSL_write_ex(session_.get(), octets.data(), octets.size(), &written) != 1) {
        fail("TLS has ended: " + first_error());
    }
    send_waiting(deadline);
}

std::size_t RedisTls::receive(std::span<char> room, Deadline deadline) {
    while (true) {
        ERR_clear_error();
        std::size_t length = 0;
        const int done = SSL_read_ex(session_.get(), room.data(), room.size(), &length);
        if (done == 1) {
            return length;
        }
        const int error = SSL_get_error(session_.get(), done);
        if (error == SSL_ERROR_ZERO_RETURN) {
            fail("has closed the connection");
        }
        if (error != SSL_ERROR_WANT_READ) {
            fail("TLS has ended: " + first_error());
        }
        send_waiting(deadline);
        receive_more(deadline);
    }
}

} // namespace store
