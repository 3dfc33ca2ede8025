#include "milter/listening_socket.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

using milter::expect_no_listener;

namespace {

class Folder {
public:
    Folder() : path_{mkdtemp(name_.data())} {}

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    ~Folder() { std::filesystem::remove_all(path_); }

    std::string operator/(const std::string& file) const { return path_ + '/' + file; }

private:
    std::string name_ = std::filesystem::temp_directory_path() / "sixgate-test-XXXXXX";
    std::string path_;
};

class Socket {
public:
    explicit Socket(int family, int type = SOCK_STREAM) : number_{socket(family, type, 0)} {}

    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    ~Socket() { close(number_); }

    const Socket& bind_to(const std::string& path) const {
        sockaddr_un address{AF_UNIX, {}};
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        REQUIRE(bind(number_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        return *this;
    }

    // At a port of the system's choice on 127.0.0.1, which is returned.
    unsigned bind_to_any_port() const {
        sockaddr_in address{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
        socklen_t size = sizeof address;
        REQUIRE(bind(number_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(getsockname(number_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        return ntohs(address.sin_port);
    }

    void start_listening() const { REQUIRE(listen(number_, 0) == 0); }

private:
    int number_;
};

} // namespace

TEST_CASE("a unix socket is in use while somebody listens on it") {
    const Folder folder;
    const std::string path = folder / "socket";
    CHECK_NOTHROW(expect_no_listener("unix:" + path));
    {
        const Socket listener{AF_UNIX};
        listener.bind_to(path).start_listening();
        CHECK_THROWS_WITH_AS(expect_no_listener("unix:" + path),
                             ("unix:" + path + ": another process listens there").c_str(),
                             std::runtime_error);
        for (int i = 0; i < 3; ++i) { // by now more are waiting than it takes
            CHECK_THROWS_AS(expect_no_listener("unix:" + path), std::runtime_error);
        }
    }
    CHECK(std::filesystem::exists(path));
    CHECK_NOTHROW(expect_no_listener("unix:" + path)); // it was left behind
}

TEST_CASE("a unix socket of another type is in use, too") {
    const Folder folder;
    const Socket other{AF_UNIX, SOCK_DGRAM};
    other.bind_to(folder / "socket");
    CHECK_THROWS_AS(expect_no_listener("unix:" + folder / "socket"), std::runtime_error);
}

TEST_CASE("ports are left to the system") {
    const Socket listener{AF_INET};
    const auto port = std::to_string(listener.bind_to_any_port());
    listener.start_listening();
    CHECK_NOTHROW(expect_no_listener("inet:" + port + "@127.0.0.1"));
}
