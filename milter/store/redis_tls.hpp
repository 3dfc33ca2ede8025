// TLS on a stream to a Redis server, whose certificate must be one of its host.
#pragma once

#include "milter/store/redis_socket.hpp"

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace store {

// Every function may throw StoreError, which names the server.
class RedisTls {
public:
    // `ca_file` has the certificates that are trusted; empty: those of the system. `socket`
    // outlives this.
    RedisTls(RedisSocket& socket,
             const RedisUrl& url,
             const std::string& ca_file,
             Deadline deadline);

    void send(std::string_view octets, Deadline deadline);
    std::size_t receive(std::span<char> room, Deadline deadline);

private:
    struct Free {
        void operator()(SSL_CTX* context) const noexcept;
        void operator()(SSL* session) const noexcept;
    };

    void expect(const std::string& host);
    void shake_hands(Deadline deadline);
    void send_waiting(Deadline deadline);
    void receive_more(Deadline deadline);
    [[noreturn]] void fail(const std::string& what) const;

    RedisSocket& socket_;
    const std::string name_;
    std::unique_ptr<SSL_CTX, Free> context_;
    std::unique_ptr<SSL, Free> session_;
    BIO* from_server_ = nullptr; // both are the session's
    BIO* to_server_ = nullptr;
};

} // namespace store
