#include "milter/verify/cares_channel.hpp"

#include "milter/verify/c_handle.hpp"
#include "milter/verify/dns_name.hpp"

#include <ares.h>
#include <arpa/nameser.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>

namespace verify {

namespace {

using std::chrono::milliseconds;

// Of each server within the timeout: one interval, then the double.
constexpr int intervals_in_time = 3;
constexpr int rounds = 3;

// Fits the smallest MTU of IPv6, so that no fragment can be lost or forged.
constexpr int edns_payload = 1232;

void require(int status, const char* call) {
    if (status != ARES_SUCCESS) {
        throw std::runtime_error{std::string{call} + ": " + ares_strerror(status)};
    }
}

// Once in the process, before the first thread that uses c-ares.
class CaresLibrary {
public:
    CaresLibrary() { require(ares_library_init(ARES_LIB_INIT_ALL), "ares_library_init"); }

    CaresLibrary(const CaresLibrary&) = delete;
    CaresLibrary& operator=(const CaresLibrary&) = delete;
    CaresLibrary(CaresLibrary&&) = delete;
    CaresLibrary& operator=(CaresLibrary&&) = delete;

    ~CaresLibrary() { ares_library_cleanup(); }
};

void use_library() {
    static const CaresLibrary library;
}

using ServerNode = ares_addr_port_node;

policy::Address address_of(const ServerNode& node) {
    if (node.family == AF_INET) {
        std::array<std::uint8_t, 4> octets{};
        std::copy_n(reinterpret_cast<const std::uint8_t*>(&node.addr.addr4), 4, octets.begin());
        return policy::Address::from_ipv4(octets);
    }
    policy::Address::Bytes octets{};
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&node.addr.addr6), 16, octets.begin());
    return policy::Address{octets};
}

ServerNode node_of(const DnsServer& server) {
    ServerNode node{};
    const auto& octets = server.address.bytes();
    if (server.address.is_ipv4()) {
        node.family = AF_INET;
        std::copy_n(&octets[12], 4, reinterpret_cast<std::uint8_t*>(&node.addr.addr4));
    } else {
        node.family = AF_INET6;
        std::copy_n(octets.data(), 16, reinterpret_cast<std::uint8_t*>(&node.addr.addr6));
    }
    node.udp_port = server.port;
    node.tcp_port = server.port;
    return node;
}

void set_servers(ares_channel channel, const std::vector<DnsServer>& servers) {
    std::vector<ServerNode> nodes;
    std::ranges::transform(servers, std::back_inserter(nodes), node_of);
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        nodes[i - 1].next = &nodes[i];
    }
    require(ares_set_servers_ports(channel, nodes.data()), "ares_set_servers_ports");
}

bool is_stream(int socket) {
    int type = 0;
    socklen_t size = sizeof(type);
    return getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

LookupFailure failure_of(int status) {
    switch (status) {
    case ARES_ETIMEOUT: return LookupFailure::timeout;
    case ARES_ENOTFOUND: // .onion (RFC 7686)
    case ARES_EBADNAME: return LookupFailure::no_such_domain;
    default: return LookupFailure::server_failure;
    }
}

// The name as c-ares is given it. Nothing where it cannot be asked for: empty, with an empty label,
// one of more than 63 octets, more than 255 on the wire, or with a zero octet (C strings have
// none).
std::optional<std::string> askable_name(std::string_view name) {
    const auto wire = wire_name(name);
    if (!wire || wire->is_root()) {
        return std::nullopt;
    }
    // c-ares knows \X but not \DDD: what is odd goes as it is.
    std::string text;
    std::size_t length = 0; // of the label, in octets that are still to come
    for (const char c : std::string_view{wire->octets}.substr(0, wire->octets.size() - 1)) {
        if (length == 0) {
            length = static_cast<unsigned char>(c);
            text += text.empty() ? "" : ".";
            continue;
        }
        if (c == '\0') {
            return std::nullopt;
        }
        text += c == '.' || c == '\\' ? std::string{'\\', c} : std::string{c};
        --length;
    }
    return text;
}

} // namespace

std::vector<DnsServer> servers_of_system() {
    use_library();
    ares_channel raw_channel = nullptr;
    require(ares_init(&raw_channel), "ares_init");
    const CHandle<ares_channeldata, ares_destroy> channel{raw_channel};
    ServerNode* raw_servers = nullptr;
    require(ares_get_servers_ports(raw_channel, &raw_servers), "ares_get_servers_ports");
    const CHandle<ServerNode, ares_free_data> list{raw_servers};
    std::vector<DnsServer> servers;
    for (const ServerNode* node = list.get(); node != nullptr; node = node->next) {
        const auto port = static_cast<std::uint16_t>(node->udp_port);
        servers.push_back({address_of(*node), port == 0 ? std::uint16_t{NS_DEFAULTPORT} : port});
    }
    return servers;
}

// What c-ares holds for us while a question is under way.
struct CaresChannel::Query {
    CaresChannel* channel;
    std::list<Finished> place; // one, allocated before there is a result: on_answer() cannot fail
};

void CaresChannel::Destroy::operator()(ares_channeldata* channel) const noexcept {
    ares_destroy(channel);
}

// Without NOCHECKRESP c-ares keeps SERVFAIL, NOTIMP and REFUSED to itself and goes on to the next
// server; when all have failed, the error is all we get, and all we need. No search domains and no
// aliases: ares_query() knows neither, the flags say so to the reader. Options that are not set
// would be read from resolv.conf and the environment.
CaresChannel::CaresChannel(const std::vector<DnsServer>& servers, milliseconds timeout) {
    use_library();
    constexpr milliseconds shortest{20};
    const auto intervals = intervals_in_time * static_cast<milliseconds::rep>(servers.size());
    ares_options options{};
    options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    options.ednspsz = edns_payload;
    options.timeout = static_cast<int>(std::max(shortest, timeout / intervals).count());
    options.tries = rounds;
    options.ndots = 1;
    options.sock_state_cb = on_socket;
    options.sock_state_cb_data = this;
    std::string only_dns{"b"};
    options.lookups = only_dns.data();
    constexpr int set = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                        ARES_OPT_NDOTS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS |
                        ARES_OPT_DOMAINS | ARES_OPT_NOROTATE;
    ares_channel raw = nullptr;
    require(ares_init_options(&raw, &options, set), "ares_init_options");
    channel_.reset(raw);
    set_servers(raw, servers);
}

void CaresChannel::ask(Asked asked) {
    const auto name = askable_name(asked.question.name);
    if (!name) {
        finished_.push_back({std::move(asked), {tl::unexpected{LookupFailure::no_such_domain}}});
        return;
    }
    const auto type = static_cast<int>(asked.question.type);
    auto query = std::make_unique<Query>();
    query->channel = this;
    query->place.push_back({std::move(asked)});
    has_used_tcp_ = has_used_tcp_ && under_way_ > 0;
    ++asked_;
    ++under_way_;
    ares_query(channel_.get(), name->c_str(), ns_c_in, type, on_answer, query.release());
    process_timeouts();
}

void CaresChannel::process_readable(int socket) {
    process(socket, ARES_SOCKET_BAD);
}

void CaresChannel::process_writable(int socket) {
    process(ARES_SOCKET_BAD, socket);
}

void CaresChannel::process_timeouts() {
    process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void CaresChannel::process(int readable, int writable) {
    ares_process_fd(channel_.get(), readable, writable);
    timeval wait{};
    next_timeout_ = Deadline::max();
    if (ares_timeout(channel_.get(), nullptr, &wait) != nullptr) {
        next_timeout_ = std::chrono::steady_clock::now() + std::chrono::seconds{wait.tv_sec} +
                        std::chrono::microseconds{wait.tv_usec};
    }
}

void CaresChannel::on_socket(void* self, int socket, int readable, int writable) noexcept {
    static_cast<CaresChannel*>(self)->watch({socket, readable != 0, writable != 0});
}

// Where memory is out a socket goes unwatched: its questions end by their timeout.
void CaresChannel::watch(Socket socket) {
    try {
        std::erase_if(sockets_, [&](const Socket& old) { return old.number == socket.number; });
        if (socket.awaits_reading || socket.awaits_writing) {
            sockets_.push_back(socket);
            has_used_tcp_ = has_used_tcp_ || is_stream(socket.number);
        }
    } catch (const std::bad_alloc&) {
        return;
    }
}

// c-ares calls this once for each query, also when the channel ends.
void CaresChannel::on_answer(
    void* raw_query, int status, int, unsigned char* packet, int length) noexcept {
    const std::unique_ptr<Query> query{static_cast<Query*>(raw_query)};
    auto& channel = *query->channel;
    auto& [asked, result, is_cut_off] = query->place.front();
    try {
        result = packet == nullptr
                     ? failed(failure_of(status))
                     : parse_answer(asked.question,
                                    {packet, static_cast<std::size_t>(std::max(length, 0))});
    } catch (const std::bad_alloc&) {
        result.ttl = std::chrono::seconds{0}; // it stays a failure
    }
    is_cut_off = packet == nullptr && failure_of(status) == LookupFailure::server_failure &&
                 channel.has_used_tcp_;
    --channel.under_way_;
    channel.finished_.splice(channel.finished_.end(), query->place);
}

} // namespace verify
