#include "milter/listening_socket.hpp"

#include "milter/verify/c_handle.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace milter {

namespace {

constexpr std::string_view unix_scheme = "unix:";

class Descriptor {
public:
    explicit Descriptor(int family) : number_{::socket(family, SOCK_STREAM | flags, 0)} {}

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    ~Descriptor() { close(number_); }

    int get() const { return number_; }

private:
    static constexpr int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    int number_;
};

struct UnixAddress {
    explicit UnixAddress(std::string_view path) {
        path.copy(address.sun_path, sizeof address.sun_path - 1);
    }

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }

    sockaddr_un address{AF_UNIX, {}};
};

std::string error_words(int error) {
    return std::generic_category().message(error);
}

std::string obstacle_to_path(const std::string& path) {
    struct stat file {};

    if (lstat(path.c_str(), &file) == 0 && !S_ISSOCK(file.st_mode)) {
        return "this is a file, and no socket";
    }
    const Descriptor probe{AF_UNIX};
    const UnixAddress address{path};
    if (bind(probe.get(), address.get(), sizeof address.address) == 0) {
        unlink(path.c_str());
        return "libmilter refuses it, and tells syslog why";
    }
    switch (errno) {
    case ENOENT: return "its directory does not exist";
    case EADDRINUSE: return "the socket that was left there cannot be removed";
    default: return error_words(errno);
    }
}

std::string obstacle_to_port(int family, std::string_view port_at_host) {
    const auto at = port_at_host.find('@');
    const std::string port{port_at_host.substr(0, at)};
    std::string host{port_at_host.substr(at + 1)};
    if (host.starts_with('[')) {
        host = host.substr(1, host.size() - 2);
    }
    addrinfo wanted{};
    wanted.ai_family = family;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* raw = nullptr;
    if (const int error = getaddrinfo(host.c_str(), port.c_str(), &wanted, &raw); error != 0) {
        return gai_strerror(error);
    }
    const verify::CHandle<addrinfo, freeaddrinfo> found{raw};
    const Descriptor probe{family};
    const int on = 1; // as libmilter does
    setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(probe.get(), found->ai_addr, found->ai_addrlen) == 0) {
        return "libmilter refuses it, and tells syslog why";
    }
    return error_words(errno);
}

} // namespace

SocketMode::SocketMode(std::uint32_t mode) : previous_{umask(~mode & 0777U)} {}

SocketMode::~SocketMode() {
    umask(previous_);
}

void expect_no_listener(const std::string& socket) {
    if (!socket.starts_with(unix_scheme)) {
        return; // of a port the system knows that it is in use
    }
    const Descriptor probe{AF_UNIX};
    const UnixAddress address{socket.substr(unix_scheme.size())};
    const bool is_connected = connect(probe.get(), address.get(), sizeof address.address) == 0;
    // EAGAIN: more are waiting than it takes. EPROTOTYPE: it is there, and no stream.
    if (is_connected || errno == EAGAIN || errno == EPROTOTYPE) {
        throw std::runtime_error{socket + ": another process listens there"};
    }
}

std::string obstacle_to(const std::string& socket) {
    const auto colon = socket.find(':');
    const auto scheme = socket.substr(0, colon);
    const auto rest = socket.substr(colon + 1);
    if (scheme == "unix") {
        return obstacle_to_path(rest);
    }
    return obstacle_to_port(scheme == "inet6" ? AF_INET6 : AF_INET, rest);
}

void set_no_delay_on_listeners() {
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
        const std::string name = entry.path().filename();
        int descriptor = -1;
        std::from_chars(name.data(), name.data() + name.size(), descriptor);
        int is_listening = 0;
        socklen_t size = sizeof is_listening;
        if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 &&
            is_listening != 0) {
            const int on = 1; // fails on a unix socket, which does not need it
            setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
    }
}

} // namespace milter
