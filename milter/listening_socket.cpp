#include "milter/listening_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <charconv>
#include <filesystem>
#include <string>

namespace milter {

SocketMode::SocketMode(std::uint32_t mode) : previous_{umask(~mode & 0777U)} {}

SocketMode::~SocketMode() {
    umask(previous_);
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
