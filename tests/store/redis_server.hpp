// A real Redis server of a test, on a unix socket in a temporary folder.
#pragma once

#include "milter/store/redis_connection.hpp"
#include "tests/store/temporary_folder.hpp"

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace tests {

// Ends with the test program.
class RedisServer {
public:
    RedisServer(); // throws where it does not come up
    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;
    ~RedisServer();

    std::string url() const { return "unix://" + folder_.file("redis.sock"); }

    store::RedisAccess access() const { return {*store::parse_redis_url(url()), "", ""}; }

    // As an operator would, past the store; throws what RedisConnection does.
    store::RedisReply call(const std::vector<std::string_view>& words);

    void empty(); // of all that it has, and as it was configured at first

    std::string octets(); // of the file that it writes its data to, without compression

    void stand_still() const; // SIGSTOP
    void go_on() const;

private:
    const TemporaryFolder folder_;
    pid_t process_ = 0;
    store::RedisConnection connection_;
};

// One for all the tests of the program, empty.
RedisServer& empty_redis_server();

} // namespace tests
