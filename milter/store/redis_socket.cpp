#include "milter/store/redis_socket.hpp"

#include "milter/store/store.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace store {

namespace {

using Clock = std::chrono::steady_clock;

std::string text_of(int error) {
    return std::generic_category().message(error);
}

// An address as the kernel wants it.
struct SocketAddress {
    sockaddr_storage octets{};
    socklen_t length = 0;
};

struct Resolved {
    std::vector<SocketAddress> addresses;
    std::string problem; // where there are none
};

Resolved resolve_now(const std::string& host, const std::string& port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &first);
    if (error != 0) {
        return {{}, error == EAI_SYSTEM ? text_of(errno) : gai_strerror(error)};
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list{first, freeaddrinfo};
    Resolved resolved;
    for (const auto* each = first; each != nullptr; each = each->ai_next) {
        SocketAddress address;
        address.length = each->ai_addrlen;
        std::memcpy(&address.octets, each->ai_addr, each->ai_addrlen);
        resolved.addresses.push_back(address);
    }
    return resolved;
}

// getaddrinfo(3) has no deadline, and cannot be called off. So a thread of its own waits, and goes
// on where nobody wants the answer any more: one for each host at a time, however often connections
// are tried while the name servers are away.
class LookupsUnderWay {
public:
    std::shared_future<Resolved> of(const std::string& host, const std::string& port) {
        const std::lock_guard lock{mutex_};
        auto& lookup = lookups_[{host, port}];
        if (!lookup.valid() ||
            lookup.wait_for(Clock::duration::zero()) == std::future_status::ready) {
            std::packaged_task<Resolved()> task{[host, port] { return resolve_now(host, port); }};
            lookup = task.get_future().share();
            std::thread{std::move(task)}.detach();
        }
        return lookup;
    }

private:
    std::mutex mutex_; // guards lookups_
    std::map<std::pair<std::string, std::string>, std::shared_future<Resolved>> lookups_;
};

Resolved resolve(const std::string& host, const std::string& port, Deadline deadline) {
    static LookupsUnderWay lookups; // of the process, as its threads are
    const auto resolved = lookups.of(host, port);
    if (resolved.wait_until(deadline) != std::future_status::ready) {
        return {{}, "no name server has answered in time"};
    }
    return resolved.get();
}

// Of what is left, for one of so many tries.
Deadline share_of(Deadline deadline, std::size_t tries) {
    const auto now = Clock::now();
    return now + (deadline - now) / static_cast<Clock::rep>(tries);
}

// Until one of the events is there; false where the deadline comes first.
bool is_ready(int socket, short events, Deadline deadline) {
    pollfd one{socket, events, 0};
    while (true) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        const int ready = poll(&one, 1, static_cast<int>(std::max<decltype(left)>(left, 0)));
        if (ready >= 0 || errno != EINTR) {
            return ready > 0;
        }
    }
}

// A socket that is connected, or the error.
struct Connected {
    int socket = -1;
    int error = 0;
};

Connected connect_to(const SocketAddress& address, Deadline deadline) {
    const int socket =
        ::socket(address.octets.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) {
        return {-1, errno};
    }
    int error = 0;
    if (connect(socket, reinterpret_cast<const sockaddr*>(&address.octets), address.length) != 0) {
        error = errno;
        if (error == EINPROGRESS) {
            socklen_t size = sizeof error;
            error = ETIMEDOUT;
            if (is_ready(socket, POLLOUT, deadline)) {
                getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
            }
        }
    }
    if (error != 0) {
        close(socket);
        return {-1, error};
    }
    return {socket, 0};
}

} // namespace

RedisSocket::RedisSocket(RedisUrl url, Deadline deadline) : url_{std::move(url)} {
    if (url_.host.empty()) {
        connect_to_path(deadline);
    } else {
        connect_to_host(deadline);
    }
}

RedisSocket::~RedisSocket() {
    close(socket_);
}

void RedisSocket::fail(const std::string& what) const {
    throw StoreError{url_.text + ": " + what};
}

void RedisSocket::connect_to_path(Deadline deadline) {
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    url_.socket.copy(path.sun_path, sizeof path.sun_path - 1);
    SocketAddress address;
    address.length = sizeof path;
    std::memcpy(&address.octets, &path, sizeof path);
    const auto [socket, error] = connect_to(address, deadline);
    if (error != 0) {
        // A server that stands still takes no more than its backlog.
        fail("cannot connect: " + text_of(error == EAGAIN ? ETIMEDOUT : error));
    }
    socket_ = socket;
}

void RedisSocket::connect_to_host(Deadline deadline) {
    const auto [addresses, problem] = resolve(url_.host, url_.port, deadline);
    if (addresses.empty()) {
        fail("its host has no address: " + problem);
    }
    int first_error = 0;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto [socket, error] =
            connect_to(addresses[i], share_of(deadline, addresses.size() - i));
        if (error == 0) {
            socket_ = socket;
            const int on = 1;
            setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            return;
        }
        first_error = first_error == 0 ? error : first_error;
    }
    fail("cannot connect: " + text_of(first_error));
}

void RedisSocket::wait_for(short events, Deadline deadline) const {
    if (!is_ready(socket_, events, deadline)) {
        fail("does not answer in time");
    }
}

void RedisSocket::send(std::string_view octets, Deadline deadline) {
    while (!octets.empty()) {
        const auto sent = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            octets.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN) {
            wait_for(POLLOUT, deadline);
        } else if (errno != EINTR) {
            fail("the connection is lost: " + text_of(errno));
        }
    }
}

std::size_t RedisSocket::receive(std::span<char> room, Deadline deadline) {
    while (true) {
        const auto received = recv(socket_, room.data(), room.size(), 0);
        if (received > 0) {
            return static_cast<std::size_t>(received);
        }
        if (received == 0) {
            fail("has closed the connection");
        }
        if (errno == EAGAIN) {
            wait_for(POLLIN, deadline);
        } else if (errno != EINTR) {
            fail("the connection is lost: " + text_of(errno));
        }
    }
}

bool RedisSocket::is_closed() const {
    pollfd one{socket_, POLLRDHUP, 0};
    return poll(&one, 1, 0) > 0;
}

void RedisSocket::abandon() const noexcept {
    const linger at_once{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

} // namespace store
