#include "milter/verify/dns_event_loop.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <exception>
#include <limits>
#include <system_error>
#include <utility>

namespace verify {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Then it is made anew: c-ares 1.18 leaves EDNS off for good once one server did not know it.
constexpr std::size_t max_questions_of_channel = 1000;

constexpr int max_reconnections = 3;

// Signals belong to the threads of libmilter, which waits for them; a thread of ours that lets
// them in would be killed by the first SIGTERM. c-ares writes to TCP sockets, so SIGPIPE too.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all{};
        sigfillset(&all);
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
            sigdelset(&all, fault);
        }
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }

    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    SignalsBlocked(SignalsBlocked&&) = delete;
    SignalsBlocked& operator=(SignalsBlocked&&) = delete;

    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

int poll_timeout(Deadline until) {
    if (until == Deadline::max()) {
        return -1;
    }
    // Rounded up, or the last millisecond would be spent turning.
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    constexpr milliseconds longest{std::chrono::minutes{1}};
    return static_cast<int>(std::clamp(left, milliseconds{0}, longest).count());
}

pollfd poll_entry(const CaresChannel::Socket& socket) {
    const int events = (socket.awaits_reading ? POLLIN : 0) | (socket.awaits_writing ? POLLOUT : 0);
    return {socket.number, static_cast<short>(events), 0};
}

} // namespace

DnsEventLoop::WakeUp::WakeUp() : number_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (number_ < 0) {
        throw std::system_error{errno, std::generic_category(), "eventfd"};
    }
}

DnsEventLoop::WakeUp::~WakeUp() {
    close(number_);
}

// Neither can fail but by being rung or quiet already.
void DnsEventLoop::WakeUp::ring() const {
    [[maybe_unused]] const int result = eventfd_write(number_, 1);
}

void DnsEventLoop::WakeUp::quiet() const {
    eventfd_t count = 0;
    [[maybe_unused]] const int result = eventfd_read(number_, &count);
}

// A socket of a channel, and what it is ready for.
struct DnsEventLoop::Ready {
    CaresChannel* channel = nullptr;
    int socket = -1;
    bool is_readable = false;
    bool is_writable = false;
};

DnsEventLoop::DnsEventLoop(std::vector<DnsServer> servers,
                           milliseconds timeout,
                           OnFinished on_finished)
    : servers_{std::move(servers)}, timeout_{timeout}, on_finished_{std::move(on_finished)} {
    channels_.push_back(std::make_unique<CaresChannel>(servers_, timeout_)); // throws here, if ever
    const SignalsBlocked blocked; // the new thread inherits it
    thread_ = std::thread{[this] { run(); }};
}

DnsEventLoop::~DnsEventLoop() {
    is_stopping_ = true;
    wake_up_.ring();
    thread_.join();
}

void DnsEventLoop::submit(Asked asked) {
    std::list<Asked> one;
    one.push_back(std::move(asked));
    const std::lock_guard lock{mutex_};
    if (submitted_.empty()) {
        wake_up_.ring();
    }
    submitted_.splice(submitted_.end(), one);
}

void DnsEventLoop::run() noexcept {
    while (!is_stopping_) {
        try {
            turn();
        } catch (const std::exception&) {
            // Memory is out. What this turn has lost ends by its deadline; wait for others to free.
            std::this_thread::sleep_for(milliseconds{1});
        }
    }
}

void DnsEventLoop::turn() {
    for (const auto& ready : wait()) {
        if (ready.is_readable) {
            ready.channel->process_readable(ready.socket);
        }
        if (ready.is_writable) {
            ready.channel->process_writable(ready.socket);
        }
    }
    for (const auto& channel : channels_) {
        if (channel->next_timeout() <= steady_clock::now()) {
            channel->process_timeouts();
        }
    }
    start_submitted();
    deliver_finished();
    deliver_expired();
}

std::vector<DnsEventLoop::Ready> DnsEventLoop::wait() const {
    std::vector<pollfd> polled{{wake_up_.number(), POLLIN, 0}};
    std::vector<CaresChannel*> owners{nullptr};
    for (const auto& channel : channels_) {
        for (const auto& socket : channel->sockets()) {
            polled.push_back(poll_entry(socket));
            owners.push_back(channel.get());
        }
    }
    if (poll(polled.data(), polled.size(), poll_timeout(next_event())) <= 0) {
        return {};
    }
    wake_up_.quiet();
    std::vector<Ready> ready;
    for (std::size_t i = 1; i < polled.size(); ++i) {
        const auto events = static_cast<unsigned>(polled[i].revents);
        if (events != 0) {
            ready.push_back({owners[i],
                             polled[i].fd,
                             (events & ~unsigned{POLLOUT}) != 0, // an error is found by reading
                             (events & unsigned{POLLOUT}) != 0});
        }
    }
    return ready;
}

Deadline DnsEventLoop::next_event() const {
    Deadline next = waiting_.empty() ? Deadline::max() : waiting_.front().deadline;
    for (const auto& channel : channels_) {
        next = std::min(next, channel->next_timeout());
    }
    return next;
}

void DnsEventLoop::start_submitted() {
    std::list<Asked> fresh;
    {
        const std::lock_guard lock{mutex_};
        fresh.swap(submitted_);
    }
    if (fresh.empty()) {
        return;
    }
    auto asked = fresh.begin();
    waiting_.splice(waiting_.end(), fresh); // whatever happens now, each has its deadline
    for (; asked != waiting_.end(); ++asked) {
        start(*asked);
    }
}

void DnsEventLoop::start(const Asked& asked) {
    try {
        channel_for_next().ask(asked);
        return;
    } catch (const std::exception&) { // of memory or of files there are no more
    }
    on_finished_({asked, {tl::unexpected{LookupFailure::server_failure}}});
}

CaresChannel& DnsEventLoop::channel_for_next() {
    const auto free = std::ranges::min_element(
        channels_, {}, [](const auto& channel) { return channel->under_way(); });
    const bool is_idle = (*free)->under_way() == 0;
    // Its answers must not go with it: of this turn they may not have been taken yet.
    const bool is_empty = is_idle && !(*free)->has_finished();
    if (is_empty && (*free)->asked() >= max_questions_of_channel) {
        *free = std::make_unique<CaresChannel>(servers_, timeout_);
    }
    if (is_idle || channels_.size() >= max_channels) {
        return **free;
    }
    return *channels_.emplace_back(std::make_unique<CaresChannel>(servers_, timeout_));
}

std::list<Finished> DnsEventLoop::take_finished() {
    std::list<Finished> finished;
    for (const auto& channel : channels_) {
        finished.splice(finished.end(), channel->take_finished());
    }
    return finished;
}

void DnsEventLoop::deliver_finished() {
    for (auto all = take_finished(); !all.empty(); all = take_finished()) {
        for (auto& finished : all) {
            auto& asked = finished.asked;
            if (finished.is_cut_off && asked.reconnections < max_reconnections) {
                ++asked.reconnections;
                start(asked);
            } else {
                on_finished_(std::move(finished));
            }
        }
    }
}

void DnsEventLoop::deliver_expired() {
    const auto now = steady_clock::now();
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
        on_finished_({waiting_.front(), failed(LookupFailure::timeout)});
        waiting_.pop_front(); // now: had that thrown, it would be told so in the next turn
    }
}

} // namespace verify
