#include "tests/bench/load/session.hpp"

#include <libmilter/mfdef.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace bench {

namespace {

[[noreturn]] void throw_errno(const char* call) {
    throw std::system_error{errno, std::generic_category(), call};
}

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw std::runtime_error{"the path of the socket is too long"};
    }
    std::memcpy(&address.sun_path, path.data(), path.size());
    return address;
}

iovec part_of(std::string_view octets, std::size_t& skipped) {
    const std::size_t left_out = std::min(skipped, octets.size());
    skipped -= left_out;
    // sendmsg() does not write to it.
    return {const_cast<char*>(octets.data()) + left_out, octets.size() - left_out};
}

bool is_authentication_results(std::string_view name) {
    return std::ranges::equal(name, std::string_view{"authentication-results"}, {}, [](char c) {
        return std::tolower(static_cast<unsigned char>(c));
    });
}

} // namespace

Session::Session(const Sample& sample, std::uint64_t number, Plan plan, Clock::time_point began)
    : sample_{sample}, number_{number}, plan_{plan}, began_{began}, asked_{began} {
    turns_.push_back({Stage::connect, negotiation(), {}, {}});
}

Session::~Session() {
    if (socket_ >= 0) {
        ::close(socket_);
    }
}

void Session::connect(const std::string& path) {
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) {
        throw_errno("socket");
    }
    const sockaddr_un address = address_of(path);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        state_ = State::negotiates;
        return;
    }
    if (errno != EAGAIN) {
        throw_errno("connect");
    }
    ::close(std::exchange(socket_, -1));
}

void Session::go_on() {
    send();
    while (state_ != State::is_over) {
        const bool may_have_more = read();
        take_packets();
        if (!may_have_more) {
            return;
        }
    }
}

void Session::send() {
    while (state_ != State::is_over && has_more_to_send()) {
        std::size_t skipped = sent_;
        std::array parts{part_of(turn().first, skipped),
                         part_of(turn().shared, skipped),
                         part_of(turn().last, skipped)};
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        const ssize_t octets = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
        if (octets < 0 && errno == EAGAIN) {
            return;
        }
        if (octets < 0) {
            throw_errno("sendmsg");
        }
        sent_ += static_cast<std::size_t>(octets);
        asked_ = Clock::now();
    }
    if (!turn().has_answer) {
        state_ = State::stays_open;
    }
}

// Whether there may be more to read. An edge of epoll tells of what comes after a short read.
bool Session::read() {
    std::array<char, 16384> octets{};
    const ssize_t count = ::recv(socket_, octets.data(), octets.size(), 0);
    if (count < 0 && errno == EAGAIN) {
        return false;
    }
    if (count < 0) {
        throw_errno("recv");
    }
    if (count == 0) {
        throw std::runtime_error{"the filter closed the connection at " +
                                 std::string{word_of(turn().stage)}};
    }
    received_.append(octets.data(), static_cast<std::size_t>(count));
    return static_cast<std::size_t>(count) == octets.size();
}

void Session::take_packets() {
    std::size_t at = 0;
    while (state_ != State::is_over && received_.size() - at >= 5) {
        const std::string_view left = std::string_view{received_}.substr(at);
        const std::size_t length = number_in(left);
        if (length == 0 || length > (1U << 24U)) {
            throw std::runtime_error{"a packet of an impossible length"};
        }
        if (left.size() < 4 + length) {
            break;
        }
        at += 4 + length;
        take(left[4], left.substr(5, length - 1));
    }
    received_.erase(0, at);
}

void Session::take(char command, std::string_view content) {
    if (state_ == State::negotiates) {
        if (command != SMFIC_OPTNEG) {
            throw std::runtime_error{"the filter does not negotiate"};
        }
        take_steps(content);
        return;
    }
    switch (command) {
    case SMFIR_INSHEADER:
        content.remove_prefix(std::min<std::size_t>(4, content.size()));
        [[fallthrough]];
    case SMFIR_ADDHEADER:
        take_field(content.substr(0, content.find('\0')), content.substr(content.find('\0') + 1));
        return;
    case SMFIR_PROGRESS:
    case SMFIR_CHGHEADER:
    case SMFIR_SETSYMLIST: return;
    default: take_verdict(command, content);
    }
}

void Session::take_field(std::string_view name, std::string_view value) {
    if (is_authentication_results(name)) {
        read_results(value.substr(0, value.find('\0')), outcome_.results);
    }
}

void Session::take_steps(std::string_view content) {
    constexpr std::size_t place_of_steps = 8; // behind the version and the actions
    if (content.size() < place_of_steps) {
        throw std::runtime_error{"the filter does not say which steps it wants"};
    }
    const unsigned long steps = number_in(content.substr(place_of_steps));
    turns_ =
        plan_ == Plan::message ? whole_dialogue(sample_, steps, number_) : greeting(sample_, steps);
    state_ = State::talks;
    begin_turn(0);
}

void Session::take_verdict(char command, std::string_view content) {
    const Stage stage = turn().stage;
    outcome_.waits.emplace_back(stage, Clock::now() - asked_);
    const bool is_last = turn_ + 1 == turns_.size();
    if (command == SMFIR_CONTINUE && !is_last) {
        begin_turn(turn_ + 1);
    } else if (command == SMFIR_SKIP && stage == Stage::content) {
        begin_turn(turns_.size() - 1);
    } else if (plan_ == Plan::greeting) {
        state_ = State::stays_open;
    } else {
        outcome_.verdict = std::string{word_of(stage)} + ':' + word_of_answer(command, content);
        end();
    }
}

void Session::begin_turn(std::size_t turn) {
    turn_ = turn;
    sent_ = 0;
    send();
}

void Session::end() {
    outcome_.total = Clock::now() - began_;
    state_ = State::is_over;
    std::string quit;
    append_packet(quit, SMFIC_QUIT, {});
    // The filter may have gone; the message is judged all the same.
    static_cast<void>(::send(socket_, quit.data(), quit.size(), MSG_NOSIGNAL));
}

} // namespace bench
