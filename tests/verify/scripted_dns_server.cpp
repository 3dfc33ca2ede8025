#include "tests/verify/scripted_dns_server.hpp"

#include "milter/verify/dns_name.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <span>
#include <system_error>

namespace tests {

namespace {

constexpr std::size_t header_size = 12;

int require(int result, const char* call) {
    if (result < 0) {
        throw std::system_error{errno, std::generic_category(), call};
    }
    return result;
}

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);

    static SocketAddress make(const std::string& host, unsigned port) {
        SocketAddress address;
        auto* const ipv4 = reinterpret_cast<sockaddr_in*>(&address.storage);
        auto* const ipv6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
        if (inet_pton(AF_INET, host.c_str(), &ipv4->sin_addr) == 1) {
            address.storage.ss_family = AF_INET;
            address.size = sizeof(sockaddr_in);
        } else {
            require(inet_pton(AF_INET6, host.c_str(), &ipv6->sin6_addr) - 1, "inet_pton");
            address.storage.ss_family = AF_INET6;
            address.size = sizeof(sockaddr_in6);
        }
        ipv4->sin_port = htons(static_cast<std::uint16_t>(port)); // the same place for both
        return address;
    }

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }

    unsigned port() const {
        return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
    }
};

Descriptor bound(const std::string& host, unsigned port, int type) {
    auto address = SocketAddress::make(host, port);
    Descriptor socket{
        require(::socket(address.storage.ss_family, type | SOCK_CLOEXEC, 0), "socket")};
    const int on = 1; // or a connection of an earlier test would keep the port
    setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    require(bind(socket.number(), address.get(), address.size), "bind");
    return socket;
}

unsigned port_of(const Descriptor& socket) {
    SocketAddress address;
    require(getsockname(socket.number(), address.get(), &address.size), "getsockname");
    return address.port();
}

std::size_t number_at(const Octets& message, std::size_t place) {
    return static_cast<std::size_t>(message.at(place)) << 8U | message.at(place + 1);
}

Received read_question(const Octets& message, Transport transport) {
    const auto name = verify::name_in(message, header_size).value();
    const auto end = header_size + name.length + 4;
    Received question;
    question.transport = transport;
    question.id = number_at(message, 0);
    question.name = verify::presentation(name.name);
    question.type = number_at(message, end - 4);
    const bool has_opt = number_at(message, 10) == 1;
    question.payload = has_opt ? number_at(message, end + 3) : 0;
    return question;
}

// The first message of a stream, with its length taken off.
std::optional<Octets> first_message(const Octets& stream) {
    if (stream.size() < 2 || stream.size() < 2 + number_at(stream, 0)) {
        return std::nullopt;
    }
    const auto begin = stream.begin() + 2;
    return Octets{begin, begin + static_cast<std::ptrdiff_t>(number_at(stream, 0))};
}

void send_all(int socket, std::span<const std::uint8_t> octets) {
    while (!octets.empty()) {
        const auto sent = send(socket, octets.data(), octets.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        octets = octets.subspan(static_cast<std::size_t>(sent));
    }
}

} // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) {
        close(number_);
    }
}

DnsPacket Received::reply() const {
    const auto wire = verify::wire_name(name).value();
    DnsPacket packet{Octets{wire.octets.begin(), wire.octets.end()}, type};
    packet.id(id);
    return packet;
}

Octets text_reply(const Received& query, std::string_view text, std::size_t ttl) {
    const Octets name_of_question{0xc0, header_size};
    return query.reply().record(1, name_of_question, rr::txt, ttl, strings({text})).octets();
}

Packets echo(const Received& query) {
    return {text_reply(query, query.name)};
}

Packets silence(const Received&) {
    return {};
}

Packets servfail(const Received& query) {
    return {query.reply().rcode(2).octets()};
}

// A port that is free for one is not always free for the other.
PortPair PortPair::bound_to(const std::string& host) {
    for (int tries = 1;; ++tries) {
        try {
            Descriptor tcp = bound(host, 0, SOCK_STREAM);
            return {bound(host, port_of(tcp), SOCK_DGRAM), std::move(tcp)};
        } catch (const std::system_error&) {
            if (tries == 20) {
                throw;
            }
        }
    }
}

ScriptedDnsServer::ScriptedDnsServer(Script script, std::string address)
    : script_{std::move(script)}, host_{std::move(address)}, stop_{require(eventfd(0, EFD_CLOEXEC),
                                                                           "eventfd")},
      sockets_{PortPair::bound_to(host_)}, port_{port_of(sockets_.udp)} {
    require(listen(sockets_.tcp.number(), SOMAXCONN), "listen");
    thread_ = std::thread{[this] { run(); }};
}

ScriptedDnsServer::~ScriptedDnsServer() {
    eventfd_write(stop_.number(), 1);
    thread_.join();
}

std::string ScriptedDnsServer::address() const {
    const bool is_ipv6 = host_.find(':') != std::string::npos;
    return (is_ipv6 ? '[' + host_ + ']' : host_) + ':' + std::to_string(port_);
}

std::vector<Received> ScriptedDnsServer::received() const {
    const std::lock_guard lock{mutex_};
    return received_;
}

bool ScriptedDnsServer::wait_for(std::size_t count) const {
    std::unique_lock lock{mutex_};
    return arrived_.wait_for(
        lock, std::chrono::seconds{5}, [&] { return received_.size() >= count; });
}

void ScriptedDnsServer::run() {
    for (;;) {
        std::vector<pollfd> polled{{stop_.number(), POLLIN, 0},
                                   {sockets_.udp.number(), POLLIN, 0},
                                   {sockets_.tcp.number(), POLLIN, 0}};
        for (const auto& connection : connections_) {
            polled.push_back({connection.socket.number(), POLLIN, 0});
        }
        poll(polled.data(), polled.size(), -1);
        if (polled[0].revents != 0) {
            return;
        }
        for (std::size_t i = polled.size(); i > 3; --i) {
            if (polled[i - 1].revents != 0 && !serve_tcp(connections_[i - 4])) {
                connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i - 4));
            }
        }
        if (polled[1].revents != 0) {
            serve_udp();
        }
        if (polled[2].revents != 0) {
            Descriptor socket{accept4(sockets_.tcp.number(), nullptr, nullptr, SOCK_CLOEXEC)};
            const int on = 1;
            setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
            connections_.push_back({std::move(socket), {}});
        }
    }
}

void ScriptedDnsServer::serve_udp() {
    Octets message(4096);
    SocketAddress client;
    const auto length = recvfrom(
        sockets_.udp.number(), message.data(), message.size(), 0, client.get(), &client.size);
    if (length <= 0) {
        return;
    }
    message.resize(static_cast<std::size_t>(length));
    auto question = read_question(message, Transport::udp);
    question.client_port = client.port();
    for (const auto& packet : answers_to(question)) {
        sendto(sockets_.udp.number(), packet.data(), packet.size(), 0, client.get(), client.size);
    }
}

bool ScriptedDnsServer::serve_tcp(Connection& connection) {
    std::array<std::uint8_t, 4096> buffer{};
    const auto length = recv(connection.socket.number(), buffer.data(), buffer.size(), 0);
    if (length <= 0) {
        return false;
    }
    connection.input.insert(connection.input.end(), buffer.begin(), buffer.begin() + length);
    while (const auto message = first_message(connection.input)) {
        const auto taken = static_cast<std::ptrdiff_t>(2 + message->size());
        connection.input.erase(connection.input.begin(), connection.input.begin() + taken);
        if (!answer_over_tcp(connection, *message)) {
            return false;
        }
    }
    return true;
}

// In pieces, so that whoever reads has to put them together.
bool ScriptedDnsServer::answer_over_tcp(const Connection& connection, const Octets& message) {
    for (const auto& packet : answers_to(read_question(message, Transport::tcp))) {
        if (packet.empty()) {
            return false;
        }
        Octets framed = number16(packet.size());
        append(framed, packet);
        const std::span<const std::uint8_t> all{framed};
        for (const auto piece : {all.first(1), all.subspan(1, 2), all.subspan(3)}) {
            send_all(connection.socket.number(), piece);
        }
    }
    return true;
}

Packets ScriptedDnsServer::answers_to(const Received& question) {
    {
        const std::lock_guard lock{mutex_};
        received_.push_back(question);
    }
    arrived_.notify_all();
    return script_(question);
}

std::string address_of_nobody() {
    return "127.0.0.1:" + std::to_string(port_of(bound("127.0.0.1", 0, SOCK_DGRAM)));
}

} // namespace tests
