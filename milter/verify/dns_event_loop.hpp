// The thread that asks: it owns the channels of c-ares, waits for their sockets and keeps the
// time. Questions come to it from any thread.
#pragma once

#include "milter/verify/cares_channel.hpp"
#include "milter/verify/dns_server.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace verify {

// The source port is half of what keeps a forged answer out, and c-ares 1.18 keeps one socket for a
// server as long as any question is under way. So there are many channels, a question takes one
// that is idle, and every idle channel has closed its sockets: as long as fewer than max_channels
// questions are under way, each has a port of its own.
class DnsEventLoop {
public:
    // Called on the event thread, without any lock. More than once for one question: first with a
    // timeout when its deadline passes, then with what came late.
    using OnFinished = std::function<void(Finished)>;

    // Throws std::runtime_error or std::system_error, naming the call.
    DnsEventLoop(std::vector<DnsServer> servers,
                 std::chrono::milliseconds timeout,
                 OnFinished on_finished);
    DnsEventLoop(const DnsEventLoop&) = delete;
    DnsEventLoop& operator=(const DnsEventLoop&) = delete;
    DnsEventLoop(DnsEventLoop&&) = delete;
    DnsEventLoop& operator=(DnsEventLoop&&) = delete;
    // What is under way is dropped, without a call.
    ~DnsEventLoop();

    // From any thread; never blocks. Deadlines must not go back from one call to the next.
    void submit(Asked asked);

private:
    static constexpr std::size_t max_channels = 64;

    // A file descriptor that closes itself.
    class WakeUp {
    public:
        WakeUp();
        WakeUp(const WakeUp&) = delete;
        WakeUp& operator=(const WakeUp&) = delete;
        WakeUp(WakeUp&&) = delete;
        WakeUp& operator=(WakeUp&&) = delete;
        ~WakeUp();

        void ring() const;
        void quiet() const;

        int number() const { return number_; }

    private:
        int number_;
    };

    struct Ready;

    void run() noexcept;
    void turn();
    std::vector<Ready> wait() const;
    Deadline next_event() const;
    void start_submitted();
    void start(const Asked& asked);
    CaresChannel& channel_for_next();
    std::list<Finished> take_finished();
    void deliver_finished();
    void deliver_expired();

    std::vector<DnsServer> servers_;
    std::chrono::milliseconds timeout_;
    OnFinished on_finished_;
    WakeUp wake_up_;
    std::atomic<bool> is_stopping_{false};

    std::mutex mutex_; // guards submitted_
    std::list<Asked> submitted_;

    // Of the event thread alone.
    std::vector<std::unique_ptr<CaresChannel>> channels_;
    std::list<Asked> waiting_; // for their deadlines, which rise

    std::thread thread_; // last: it uses all of the above
};

} // namespace verify
