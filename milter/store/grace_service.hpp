// Counts refusals for the sessions: the one thread that waits for the grace ledger.
#pragma once

#include "milter/store/grace_ledger.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace store {

struct GraceTimes {
    std::chrono::milliseconds patience{200};               // of a session, for an answer
    std::chrono::milliseconds pause{1'000};                // after trouble, in which nobody waits
    std::chrono::milliseconds calm{5'000};                 // without trouble, and it is over
    std::chrono::milliseconds trim{std::chrono::hours{1}}; // how often
};

struct GraceHealth {
    std::uint64_t counted = 0;
    std::uint64_t unanswered = 0; // treated as new, because the store is slow or away
    std::uint64_t without_room = 0;
    std::string trouble; // with the store, until it is over; empty where there is none
};

// A store that is slow or away costs a message `patience` once in a `pause`, and the others
// nothing: who is not counted is treated as new. The ledger is opened when it is first needed, and
// anew after trouble; what is unused is trimmed also where nobody counts any more. Shared by all
// sessions.
class GraceService {
public:
    // Throws StoreError. Called by the service's thread, again after trouble.
    using Open = std::function<std::unique_ptr<GraceLedger>()>;
    // Told of by the service's thread when trouble begins, and when it is over.
    using OnChange = std::function<void(const GraceHealth& health)>;
    // Records whose last attempt was before that go.
    using UnusedSince = std::function<policy::Time()>;

    GraceService(Open open, UnusedSince unused_since, OnChange on_change, GraceTimes times = {});
    GraceService(const GraceService&) = delete;
    GraceService& operator=(const GraceService&) = delete;
    ~GraceService(); // closes

    // As GraceLedger::count(), and empty where there is no answer, too. An answer that comes too
    // late for this message counts for the next.
    std::optional<GraceRecord>
    count(const GraceKey& key, policy::Time time, std::chrono::milliseconds period);

    void close(); // ends the thread; whoever asks then is not answered

    GraceHealth health() const;

private:
    using Clock = std::chrono::steady_clock;

    struct Request {
        GraceKey key;
        policy::Time time;
        std::chrono::milliseconds period;
        bool is_wanted = true; // somebody waits for it
        bool is_done = false;
        std::optional<GraceRecord> record{};
    };

    void run();
    std::shared_ptr<Request> next_request(std::unique_lock<std::mutex>& lock);
    void serve(Request* request);         // null: none
    std::string answer(Request& request); // the trouble with it, or nothing
    std::string trim_when_due();
    void note_trouble(const std::string& trouble);
    void note_answer();

    const Open open_;
    const UnusedSince unused_since_;
    const OnChange on_change_;
    const GraceTimes times_;

    // The service's thread alone.
    std::unique_ptr<GraceLedger> ledger_;
    Clock::time_point next_trim_{};
    Clock::time_point last_trouble_{};

    mutable std::mutex mutex_; // guards what follows
    std::condition_variable asked_;
    std::condition_variable answered_;
    std::deque<std::shared_ptr<Request>> queue_;
    Clock::time_point resumes_{}; // nobody waits before
    bool is_late_ = false;        // somebody has waited in vain
    GraceHealth health_;
    bool is_ending_ = false;

    std::thread thread_; // last: it uses all of the above
};

} // namespace store
