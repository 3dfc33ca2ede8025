#include "milter/listening_socket.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

using milter::expect_no_listener;
using milter::obstacle_to;

namespace {

constexpr std::string_view refused_by_libmilter = "libmilter refuses it, and tells syslog why";

class Folder {
public:
    Folder() : path_{mkdtemp(name_.data())} {}

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    ~Folder() { std::filesystem::remove_all(path_); }

    std::string operator/(const std::string& file) const { return path_ + '/' + file; }

    const std::string& path() const { return path_; }

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

// root may write where it likes, so it is somebody else meanwhile.
class WithoutPrivileges {
public:
    WithoutPrivileges() { REQUIRE(seteuid(65534) == 0); }

    WithoutPrivileges(const WithoutPrivileges&) = delete;
    WithoutPrivileges& operator=(const WithoutPrivileges&) = delete;

    ~WithoutPrivileges() {
        if (seteuid(0) != 0) {
            std::abort(); // what comes after would fail for no reason of its own
        }
    }
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

TEST_CASE("what is in the way of a unix socket is said") {
    const Folder folder;
    const std::string path = folder / "socket";
    CHECK(obstacle_to("unix:" + folder / "none/socket") == "its directory does not exist");
    { const std::ofstream file{folder / "file"}; }
    CHECK(obstacle_to("unix:" + folder / "file") == "this is a file, and no socket");
    CHECK(obstacle_to("unix:" + folder / "file/socket") == "Not a directory");
    if (geteuid() == 0) {
        std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
        const WithoutPrivileges meanwhile;
        CHECK(obstacle_to("unix:" + path) == "Permission denied");
    }
    CHECK(obstacle_to("unix:" + path) == refused_by_libmilter);
    CHECK_FALSE(std::filesystem::exists(path)); // nothing is left of the attempt
    { Socket{AF_UNIX}.bind_to(path); }
    CHECK(obstacle_to("unix:" + path) == "the socket that was left there cannot be removed");
}

TEST_CASE("what is in the way of a port is said") {
    const Socket listener{AF_INET};
    const auto port = std::to_string(listener.bind_to_any_port());
    CHECK(obstacle_to("inet:" + port + "@127.0.0.1") == "Address already in use");
    listener.start_listening();
    CHECK(obstacle_to("inet:" + port + "@127.0.0.1") == "Address already in use");
    CHECK(obstacle_to("inet:" + port + "@192.0.2.1") == "Cannot assign requested address");
    CHECK(obstacle_to("inet6:" + port + "@[2001:db8::1]") == "Cannot assign requested address");
    CHECK_FALSE(obstacle_to("inet:" + port + "@host.invalid").empty()); // as the resolver words it
    CHECK(obstacle_to("inet:" + port + "@127.0.0.2") == refused_by_libmilter);
}
