// A stream to a Redis server, over TCP or a unix socket, on which nobody waits beyond a deadline.
#pragma once

#include "milter/store/redis_url.hpp"

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace store {

using Deadline = std::chrono::steady_clock::time_point;

// Every function may throw StoreError, which names the server.
class RedisSocket {
public:
    // Connects, to each address of the host in turn.
    RedisSocket(RedisUrl url, Deadline deadline);
    RedisSocket(const RedisSocket&) = delete;
    RedisSocket& operator=(const RedisSocket&) = delete;
    ~RedisSocket();

    void send(std::string_view octets, Deadline deadline);

    // Waits for at least one octet; how many there are.
    std::size_t receive(std::span<char> room, Deadline deadline);

    // Whether the server has ended the connection.
    bool is_closed() const;

    // What is on its way is thrown away, so that it does not arrive after what comes later.
    void abandon() const noexcept;

private:
    void connect_to_path(Deadline deadline);
    void connect_to_host(Deadline deadline);
    void wait_for(short events, Deadline deadline) const;
    [[noreturn]] void fail(const std::string& what) const;

    const RedisUrl url_;
    int socket_ = -1;
};

} // namespace store
