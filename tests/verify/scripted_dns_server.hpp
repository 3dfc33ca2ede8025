// A DNS server on the loopback that says what a test tells it to, over UDP and TCP on one port.
#pragma once

#include "tests/verify/dns_packet.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tests {

using Packets = std::vector<Octets>;

enum class Transport : std::uint8_t { udp, tcp };

struct Received {
    Transport transport = Transport::udp;
    std::size_t id = 0;
    std::string name; // presentation form, as it came
    std::size_t type = 0;
    std::size_t payload = 0; // of EDNS; 0: there is no OPT
    unsigned client_port = 0;

    DnsPacket reply() const; // empty, with the id and the question
};

// Things to say.
Octets text_reply(const Received& query, std::string_view text, std::size_t ttl = 300);
Packets echo(const Received& query); // a text: the name that was asked for
Packets silence(const Received& query);
Packets servfail(const Received& query);

// An owned file descriptor.
class Descriptor {
public:
    explicit Descriptor(int number) : number_{number} {}

    Descriptor(Descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}

    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor();

    int number() const { return number_; }

private:
    int number_;
};

// UDP and TCP on one port, the one that was free.
struct PortPair {
    Descriptor udp;
    Descriptor tcp;

    static PortPair bound_to(const std::string& host);
};

class ScriptedDnsServer {
public:
    // What is sent for a question, one after the other; nothing is silence. Over TCP an empty
    // packet closes the connection. Runs on the server's thread; it may wait for the test.
    using Script = std::function<Packets(const Received&)>;

    explicit ScriptedDnsServer(Script script, std::string address = "127.0.0.1");
    ScriptedDnsServer(const ScriptedDnsServer&) = delete;
    ScriptedDnsServer& operator=(const ScriptedDnsServer&) = delete;
    ScriptedDnsServer(ScriptedDnsServer&&) = delete;
    ScriptedDnsServer& operator=(ScriptedDnsServer&&) = delete;
    ~ScriptedDnsServer();

    std::string address() const; // "127.0.0.1:40000"

    // All that came so far, retransmissions included.
    std::vector<Received> received() const;
    // Waits until `count` questions have come; false after five seconds.
    bool wait_for(std::size_t count) const;

private:
    struct Connection {
        Descriptor socket;
        Octets input;
    };

    void run();
    void serve_udp();
    bool serve_tcp(Connection& connection); // false: it is over
    bool answer_over_tcp(const Connection& connection, const Octets& message);
    Packets answers_to(const Received& question);

    Script script_;
    std::string host_;
    Descriptor stop_;
    PortPair sockets_;
    unsigned port_ = 0;
    std::vector<Connection> connections_;

    mutable std::mutex mutex_; // guards received_
    mutable std::condition_variable arrived_;
    std::vector<Received> received_;

    std::thread thread_;
};

// An address where nothing listens: it was free a moment ago.
std::string address_of_nobody();

} // namespace tests
