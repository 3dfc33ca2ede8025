#include "tests/store/redis_server.hpp"

#include "milter/store/store.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace tests {

namespace {

using namespace std::chrono_literals;

// It dies with its parent, however that dies.
pid_t start_redis(const std::string& folder, const std::string& socket) {
    const pid_t parent = getpid();
    const pid_t process = fork();
    if (process != 0) {
        return process;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent) {
        execlp("redis-server",
               "redis-server",
               "--port",
               "0",
               "--unixsocket",
               socket.c_str(),
               "--dir",
               folder.c_str(),
               "--save",
               "",
               "--rdbcompression",
               "no",
               "--logfile",
               (folder + "/redis.log").c_str(),
               nullptr);
    }
    _exit(127);
}

} // namespace

RedisServer::RedisServer()
    : process_{start_redis(folder_.file(""), folder_.file("redis.sock"))}, connection_{access()} {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (true) {
        try {
            call({"PING"});
            return;
        } catch (const store::StoreError& error) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error{std::string{"redis-server does not come up: "} +
                                         error.what()};
            }
            std::this_thread::sleep_for(10ms);
        }
    }
}

RedisServer::~RedisServer() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
}

store::RedisReply RedisServer::call(const std::vector<std::string_view>& words) {
    return connection_.call(words);
}

void RedisServer::empty() {
    call({"REPLICAOF", "NO", "ONE"});
    call({"CONFIG", "SET", "maxmemory", "0", "requirepass", "", "min-replicas-to-write", "0"});
    call({"FLUSHALL"});
    call({"SCRIPT", "FLUSH"});
}

std::string RedisServer::octets() {
    call({"SAVE"});
    std::ifstream file{folder_.file("dump.rdb"), std::ios::binary};
    std::ostringstream octets;
    octets << file.rdbuf();
    return octets.str();
}

void RedisServer::stand_still() const {
    kill(process_, SIGSTOP);
}

void RedisServer::go_on() const {
    kill(process_, SIGCONT);
}

RedisServer& empty_redis_server() {
    static RedisServer server;
    server.empty();
    return server;
}

} // namespace tests
