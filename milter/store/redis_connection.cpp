#include "milter/store/redis_connection.hpp"

#include "milter/store/redis_trouble.hpp"
#include "milter/store/store.hpp"

#include <hiredis/hiredis.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

namespace store {

namespace {

using ReplyObject = std::unique_ptr<void, decltype(&freeReplyObject)>;

// NOLINTNEXTLINE(misc-no-recursion): hiredis reads no more than 9 levels
RedisReply value_of(const redisReply& reply) {
    RedisReply value;
    switch (reply.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
        value.text.emplace(reply.str, static_cast<std::size_t>(reply.len));
        break;
    case REDIS_REPLY_INTEGER: value.number = reply.integer; break;
    case REDIS_REPLY_ARRAY:
        value.items.reserve(reply.elements);
        for (std::size_t i = 0; i < reply.elements; ++i) {
            value.items.push_back(value_of(*reply.element[i]));
        }
        break;
    default: break; // nothing
    }
    return value;
}

std::string command_of(std::span<const std::string_view> words) {
    std::vector<const char*> begins;
    std::vector<std::size_t> lengths;
    for (const auto word : words) {
        begins.push_back(word.data());
        lengths.push_back(word.size());
    }
    char* octets = nullptr;
    const auto length = redisFormatCommandArgv(
        &octets, static_cast<int>(words.size()), begins.data(), lengths.data());
    const std::unique_ptr<char, decltype(&redisFreeCommand)> owned{octets, redisFreeCommand};
    return {octets, static_cast<std::size_t>(length)};
}

Deadline from_now() {
    return std::chrono::steady_clock::now() + RedisConnection::patience;
}

} // namespace

void RedisConnection::Free::operator()(redisReader* reader) const noexcept {
    redisReaderFree(reader);
}

RedisConnection::RedisConnection(RedisAccess access) : access_{std::move(access)} {}

RedisConnection::~RedisConnection() = default;

void RedisConnection::fail(const std::string& what) const {
    throw StoreError{name() + ": " + what};
}

void RedisConnection::close() noexcept {
    tls_.reset();
    socket_.reset();
    reader_.reset();
}

void RedisConnection::open() {
    const Deadline deadline = from_now();
    socket_.emplace(access_.url, deadline);
    if (access_.url.is_tls) {
        tls_.emplace(*socket_, access_.url, access_.ca_file, deadline);
    }
    reader_.reset(redisReaderCreate());
    log_in(deadline);
}

void RedisConnection::log_in(Deadline deadline) {
    if (!access_.password_file.empty()) {
        const std::string password = read_password(access_.password_file); // it may have changed
        Words words{"AUTH", password};
        if (!access_.url.user.empty()) {
            words.insert(words.begin() + 1, access_.url.user);
        }
        call_until(words, deadline);
    }
    // Also of the first one: whether a password is missing is told to a short command alone.
    call_until(Words{"SELECT", access_.url.database}, deadline);
}

void RedisConnection::send(std::string_view octets, Deadline deadline) {
    if (tls_) {
        tls_->send(octets, deadline);
    } else {
        socket_->send(octets, deadline);
    }
}

RedisReply RedisConnection::receive(Deadline deadline) {
    std::array<char, 16'384> room{};
    void* object = nullptr;
    while (true) {
        if (redisReaderGetReply(reader_.get(), &object) != REDIS_OK) {
            fail(std::string{"speaks no protocol of Redis: "} +
                 static_cast<const char*>(reader_->errstr));
        }
        if (object != nullptr) {
            break;
        }
        const auto received =
            tls_ ? tls_->receive(room, deadline) : socket_->receive(room, deadline);
        redisReaderFeed(reader_.get(), room.data(), received);
    }
    const ReplyObject owned{object, freeReplyObject};
    const auto& reply = *static_cast<const redisReply*>(object);
    RedisReply value = value_of(reply);
    if (reply.type == REDIS_REPLY_ERROR) {
        fail(what_to_do_about(*value.text));
    }
    return value;
}

RedisReply RedisConnection::call_until(std::span<const std::string_view> words, Deadline deadline) {
    send(command_of(words), deadline);
    return receive(deadline);
}

RedisReply RedisConnection::call(std::span<const std::string_view> words) {
    try {
        if (socket_ && socket_->is_closed()) {
            close();
        }
        if (!socket_) {
            open();
        }
        return call_until(words, from_now());
    } catch (...) {
        if (socket_) {
            socket_->abandon();
        }
        close();
        throw;
    }
}

std::string read_password(const std::string& file) {
    const auto fail = [&file](const std::string& what) { throw StoreError{file + ": " + what}; };
    std::ifstream stream{file, std::ios::binary};

    struct stat status {};

    if (!stream || stat(file.c_str(), &status) != 0) {
        fail("the password of the store cannot be read: " + std::generic_category().message(errno));
    }
    if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        fail("everybody can read the password of the store: chmod o= " + file);
    }
    std::string password;
    std::getline(stream, password);
    if (password.empty()) {
        fail("has no password in its first line");
    }
    return password;
}

} // namespace store
