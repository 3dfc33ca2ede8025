// A name server that asks another one, answers later, and counts what it was asked. UDP and IPv4.
//
//     dns_delay LISTEN UPSTREAM DELAY_MS SLOW_MS
//
// Both addresses have port 53. Names with "slow" in them are answered after SLOW_MS. At SIGTERM it
// prints one JSON object: the questions, and how many of them were different.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <queue>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t header_size = 12;

volatile std::sig_atomic_t has_to_end = 0;

sockaddr_in address_of(const std::string& host) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
        throw std::runtime_error{"not an IPv4 address: " + host};
    }
    return address;
}

// Bound or connected to the address.
int udp_socket(const sockaddr_in& address, int (*use)(int, const sockaddr*, socklen_t)) {
    const int number = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int room = 4 << 20;
    ::setsockopt(number, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (use(number, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::system_error{errno, std::generic_category(), "socket"};
    }
    return number;
}

// The name, as it is on the wire and in lower case, and the type: RFC 1035 section 4.1.2.
std::string question_in(const std::string& query) {
    std::size_t at = header_size;
    while (at < query.size() && query[at] != 0) {
        at += static_cast<unsigned char>(query[at]) + 1U;
    }
    std::string question = query.substr(header_size, at + 3 - header_size);
    std::ranges::transform(question, question.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return question;
}

struct Asked {
    sockaddr_in client{};
    std::array<char, 2> id{};
    bool is_slow = false;
    bool is_open = false;
};

struct Answer {
    Clock::time_point due;
    sockaddr_in client{};
    std::string octets;

    bool operator<(const Answer& other) const { return due > other.due; }
};

class Forwarder {
public:
    Forwarder(const std::string& listen,
              const std::string& upstream,
              std::chrono::milliseconds delay,
              std::chrono::milliseconds slow)
        : clients_{udp_socket(address_of(listen), ::bind)},
          upstream_{udp_socket(address_of(upstream), ::connect)}, delay_{delay}, slow_{slow} {}

    void run() {
        while (has_to_end == 0) {
            std::array<pollfd, 2> sockets{pollfd{clients_, POLLIN, 0},
                                          pollfd{upstream_, POLLIN, 0}};
            const timespec wait{0, nanoseconds_to_wait()};
            ::ppoll(sockets.data(), sockets.size(), &wait, nullptr);
            take_questions();
            take_answers();
            send_what_is_due();
        }
        std::printf(R"({"questions": %zu, "distinct": %zu})"
                    "\n",
                    questions_,
                    distinct_.size());
    }

private:
    long nanoseconds_to_wait() const {
        constexpr std::chrono::nanoseconds longest = std::chrono::milliseconds{100};
        if (answers_.empty()) {
            return longest.count();
        }
        const std::chrono::nanoseconds left = answers_.top().due - Clock::now();
        return std::clamp(left, std::chrono::nanoseconds{0}, longest).count();
    }

    void take_questions() {
        std::array<char, 4096> buffer{};
        for (;;) {
            sockaddr_in client{};
            socklen_t length = sizeof client;
            const ssize_t count = ::recvfrom(clients_,
                                             buffer.data(),
                                             buffer.size(),
                                             0,
                                             reinterpret_cast<sockaddr*>(&client),
                                             &length);
            if (count < static_cast<ssize_t>(header_size)) {
                return;
            }
            ask(client, {buffer.data(), static_cast<std::size_t>(count)});
        }
    }

    // Under a number of ours, because clients may choose the same.
    void ask(const sockaddr_in& client, std::string query) {
        const std::string question = question_in(query);
        ++questions_;
        distinct_.insert(question);
        const std::uint16_t place = next_++;
        Asked& asked = asked_.at(place);
        asked = {client, {query[0], query[1]}, question.find("slow") != std::string::npos, true};
        std::memcpy(query.data(), &place, sizeof place);
        static_cast<void>(::send(upstream_, query.data(), query.size(), 0));
    }

    void take_answers() {
        std::array<char, 65536> buffer{};
        for (;;) {
            const ssize_t count = ::recv(upstream_, buffer.data(), buffer.size(), 0);
            if (count < static_cast<ssize_t>(header_size)) {
                return;
            }
            std::string octets{buffer.data(), static_cast<std::size_t>(count)};
            std::uint16_t place = 0;
            std::memcpy(&place, octets.data(), sizeof place);
            Asked& asked = asked_.at(place);
            if (std::exchange(asked.is_open, false)) {
                std::ranges::copy(asked.id, octets.begin());
                answers_.push({Clock::now() + (asked.is_slow ? slow_ : delay_),
                               asked.client,
                               std::move(octets)});
            }
        }
    }

    void send_what_is_due() {
        while (!answers_.empty() && answers_.top().due <= Clock::now()) {
            const Answer& answer = answers_.top();
            static_cast<void>(::sendto(clients_,
                                       answer.octets.data(),
                                       answer.octets.size(),
                                       0,
                                       reinterpret_cast<const sockaddr*>(&answer.client),
                                       sizeof answer.client));
            answers_.pop();
        }
    }

    int clients_;
    int upstream_;
    std::chrono::milliseconds delay_;
    std::chrono::milliseconds slow_;
    std::vector<Asked> asked_ = std::vector<Asked>(65536);
    std::uint16_t next_ = 0;
    std::priority_queue<Answer> answers_;
    std::size_t questions_ = 0;
    std::unordered_set<std::string> distinct_;
};

} // namespace

int main(int argc, char** argv) {
    try {
        const std::vector<std::string> arguments{argv + 1, argv + argc};
        std::signal(SIGTERM, [](int) { has_to_end = 1; });
        Forwarder{arguments.at(0),
                  arguments.at(1),
                  std::chrono::milliseconds{std::stol(arguments.at(2))},
                  std::chrono::milliseconds{std::stol(arguments.at(3))}}
            .run();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "dns_delay: %s\n", error.what());
        return 1;
    }
}
