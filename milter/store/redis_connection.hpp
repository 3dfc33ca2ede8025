// Commands to a Redis or Valkey server and its replies, by hiredis.
#pragma once

#include "milter/store/redis_socket.hpp"
#include "milter/store/redis_tls.hpp"
#include "milter/store/redis_url.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct redisReader; // NOLINT(readability-identifier-naming): as hiredis has it

namespace store {

struct RedisReply {
    std::optional<std::string> text; // a string, or the word of a status
    std::int64_t number = 0;
    std::vector<RedisReply> items;
};

struct RedisAccess {
    RedisUrl url;
    std::string password_file; // empty: none is asked for
    std::string ca_file;       // empty: those of the system
};

// Connects when it is first used, and anew where the server has closed a connection that was idle.
// After an error the connection is closed: what was asked for may have been done, or be done yet.
// Used by one thread at a time.
class RedisConnection {
public:
    using Words = std::vector<std::string_view>;

    // How long it may take to connect, and how long a command: then it has failed.
    static constexpr std::chrono::milliseconds patience{1'000};

    explicit RedisConnection(RedisAccess access);
    RedisConnection(const RedisConnection&) = delete;
    RedisConnection& operator=(const RedisConnection&) = delete;
    ~RedisConnection();

    const std::string& name() const { return access_.url.text; }

    // Throws StoreError, which names the server, for an error of the server, too.
    RedisReply call(std::span<const std::string_view> words);

    [[noreturn]] void fail(const std::string& what) const; // StoreError, with name()

private:
    struct Free {
        void operator()(redisReader* reader) const noexcept;
    };

    void open();
    void log_in(Deadline deadline);
    RedisReply call_until(std::span<const std::string_view> words, Deadline deadline);
    void send(std::string_view octets, Deadline deadline);
    RedisReply receive(Deadline deadline);
    void close() noexcept;

    const RedisAccess access_;
    std::optional<RedisSocket> socket_;
    std::optional<RedisTls> tls_;
    std::unique_ptr<redisReader, Free> reader_;
};

// The first line of a file that nobody but its owner and its group can read. Throws StoreError.
std::string read_password(const std::string& file);

} // namespace store
