#include "milter/listening_socket.hpp"

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
