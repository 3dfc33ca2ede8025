// What libmilter leaves undone, or unsaid, about the socket that it listens on. `socket` is
// milter.socket: "unix:/PATH", "inet:PORT@HOST" or "inet6:PORT@HOST".
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace milter {

// While it lives, a unix socket is made with this mode. Changes the umask of the whole process, so
// only at start.
class SocketMode {
public:
    explicit SocketMode(std::uint32_t mode);
    SocketMode(const SocketMode&) = delete;
    SocketMode& operator=(const SocketMode&) = delete;
    ~SocketMode();

private:
    mode_t previous_;
};

// Throws std::runtime_error where somebody listens on this unix socket. libmilter would take the
// name from them, as it does with a socket that was left behind, and they would run on unheard.
void expect_no_listener(const std::string& socket);

// What is in the way of listening on `socket`, found out by trying. libmilter says it to syslog
// alone. May block for the name of a host.
std::string obstacle_to(const std::string& socket);

// Sets TCP_NODELAY on every TCP socket that this process listens on; Linux hands it on to the
// connections. Without it each answer over TCP waits 44 ms (Nagle against delayed ACK, measured).
void set_no_delay_on_listeners();

} // namespace milter
