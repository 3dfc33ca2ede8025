#include "tests/bench/load/generator.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace bench {

namespace {

constexpr std::size_t most_sessions = 5000; // of the open loop
constexpr std::size_t most_failures = 100;
constexpr std::chrono::seconds longest_standstill{30};
constexpr std::chrono::seconds longest_end{10};
constexpr std::chrono::milliseconds between_tries{1};
constexpr std::chrono::milliseconds longest_wait{50};

} // namespace

Generator::Generator(Load load, const std::vector<Sample>& samples, Measurement& measurement)
    : load_{std::move(load)}, samples_{samples}, measurement_{measurement},
      poll_{::epoll_create1(EPOLL_CLOEXEC)}, gap_{load_.rate > 0 ? load_.rate : 1.0} {
    if (poll_ < 0) {
        throw std::system_error{errno, std::generic_category(), "epoll_create1"};
    }
}

Generator::~Generator() {
    ::close(poll_);
}

void Generator::run() {
    moved_ = Clock::now();
    open_idle_connections();
    next_arrival_ = Clock::now();
    for (auto now = Clock::now(); !measurement_.is_over(); now = Clock::now()) {
        begin_what_is_due(now);
        wait_and_serve();
        throw_if_still(now);
        measurement_.look(Clock::now());
        if (talking_ == 0 && !may_begin() && !measurement_.is_over()) {
            throw std::runtime_error{"sessions failed, and too few are left to measure"};
        }
    }
    let_sessions_end();
}

void Generator::open_idle_connections() {
    for (std::size_t i = 0; i < load_.idle; ++i) {
        begin(Session::Plan::greeting, Clock::now());
    }
    while (talking_ > 0) {
        wait_and_serve();
        throw_if_still(Clock::now());
    }
    if (opened_ < load_.idle) {
        throw std::runtime_error{"the filter does not take all idle connections"};
    }
}

// Only a message that nobody waits for may still be under way at the end.
void Generator::let_sessions_end() {
    const auto end = Clock::now() + longest_end;
    while (talking_ > 0 && Clock::now() < end) {
        wait_and_serve();
    }
    if (talking_ > 0) {
        measurement_.add_error("sessions without an end");
    }
}

void Generator::throw_if_still(Clock::time_point now) const {
    if (talking_ > 0 && now - moved_ > longest_standstill) {
        throw std::runtime_error{"the filter does not answer"};
    }
}

bool Generator::may_begin() const {
    return load_.most == 0 || begun_ < load_.most;
}

void Generator::begin_what_is_due(Clock::time_point now) {
    if (load_.rate > 0) {
        begin_arrivals(now);
        return;
    }
    while (talking_ < load_.sessions && may_begin()) {
        begin(Session::Plan::message, Clock::now());
    }
}

// A stall is charged to every message that comes meanwhile.
void Generator::begin_arrivals(Clock::time_point now) {
    while (next_arrival_ <= now && talking_ < most_sessions && may_begin()) {
        begin(Session::Plan::message, next_arrival_);
        next_arrival_ += std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>{gap_(chance_)});
    }
}

void Generator::begin(Session::Plan plan, Clock::time_point began) {
    const bool is_message = plan == Session::Plan::message;
    const std::uint64_t number = ++last_number_;
    const Sample& sample = samples_[is_message ? begun_ % samples_.size() : 0];
    begun_ += is_message ? 1 : 0;
    ++talking_;
    auto& session =
        *sessions_.emplace(number, std::make_unique<Session>(sample, number, plan, began))
             .first->second;
    connect(session);
}

void Generator::connect(Session& session) {
    try {
        session.connect(load_.socket);
        if (session.state() == Session::State::waits_for_backlog) {
            waiting_.push_back(session.number());
            return;
        }
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLET;
        event.data.u64 = session.number();
        if (::epoll_ctl(poll_, EPOLL_CTL_ADD, session.descriptor(), &event) != 0) {
            throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
        }
    } catch (const std::runtime_error& error) {
        fail(session, error.what());
    }
}

void Generator::fail(const Session& session, const std::string& what) {
    measurement_.add_error(what);
    remove(session);
    if (++failures_ > most_failures) {
        throw std::runtime_error{"too many sessions fail: " + what};
    }
}

void Generator::connect_again() {
    for (std::size_t left = waiting_.size(); left > 0; --left) {
        const std::uint64_t number = waiting_.front();
        waiting_.pop_front();
        connect(*sessions_.at(number));
    }
}

void Generator::wait_and_serve() {
    Clock::duration wait = longest_wait;
    if (!waiting_.empty()) {
        wait = between_tries;
    } else if (load_.rate > 0 && may_begin() && !measurement_.is_over()) {
        wait = std::max(Clock::duration{0}, std::min(wait, next_arrival_ - Clock::now()));
    }
    const timespec time{0, static_cast<long>(std::chrono::nanoseconds{wait}.count())};
    std::array<epoll_event, 256> events{};
    const int count =
        ::epoll_pwait2(poll_, events.data(), static_cast<int>(events.size()), &time, nullptr);
    for (int i = 0; i < count; ++i) {
        serve(events.at(static_cast<std::size_t>(i)).data.u64);
    }
    connect_again();
}

void Generator::serve(std::uint64_t number) {
    const auto place = sessions_.find(number);
    if (place == sessions_.end()) {
        return;
    }
    Session& session = *place->second;
    moved_ = Clock::now();
    try {
        const auto before = session.state();
        session.go_on();
        if (session.state() != before) {
            after(session);
        }
    } catch (const std::runtime_error& error) {
        fail(session, error.what());
    }
}

// Its state has changed.
void Generator::after(Session& session) {
    if (session.state() == Session::State::is_over) {
        measurement_.add(session);
        remove(session);
        measurement_.look(moved_);
    } else if (session.state() == Session::State::stays_open) {
        ++opened_;
        --talking_;
    }
}

void Generator::remove(const Session& session) {
    talking_ -= session.state() == Session::State::stays_open ? 0U : 1U;
    sessions_.erase(session.number());
}

} // namespace bench
