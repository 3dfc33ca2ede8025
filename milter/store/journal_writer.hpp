// Takes verdicts from the sessions and writes them to the store: the one thread that waits for it.
#pragma once

#include "milter/store/store.hpp"
#include "policy/journal.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace store {

// What is done to an entry before it is stored, and with what.
struct JournalTarget {
    std::unique_ptr<Store> store;
    std::function<void(policy::JournalEntry&)> prepare; // twice does no harm, half neither
    // What else is in the store, some of it at a time; returns whether there is more. Throws
    // StoreError.
    std::function<bool()> trim_rest{};
};

struct JournalLimits {
    std::size_t queue_octets = 32U << 20U;  // what waits for a store in trouble; beyond is dropped
    std::chrono::milliseconds collect{200}; // how long an entry may wait for others to go with it
    std::chrono::milliseconds retry{5'000}; // after trouble
    std::chrono::seconds trim{60};          // how often, at least
    std::uint64_t trim_entries = 1'000;     // that come, and it is time, too
    std::chrono::minutes trim_rest{60};     // how often
};

struct JournalHealth {
    std::uint64_t written = 0;
    std::uint64_t dropped = 0;
    std::size_t waiting = 0;
    std::string trouble; // with the store, now; empty where there is none
};

// Sessions never wait for the store: write() costs them the queue's mutex. A store in trouble is
// told once, tried again every few seconds, and what comes meanwhile waits, as far as there is
// room. However fast entries come, the store has not many more than its bounds allow: those that
// are too many go between two batches. Shared by all sessions.
class JournalWriter {
public:
    // Throws StoreError. Called by the writer's thread, again after trouble.
    using Open = std::function<JournalTarget()>;
    // Told of by the writer's thread when trouble begins, and when it is over.
    using OnChange = std::function<void(const JournalHealth& health)>;
    // What is to be kept, as of now.
    using BoundsNow = std::function<Bounds()>;

    JournalWriter(Open open, BoundsNow bounds, OnChange on_change, JournalLimits limits);
    JournalWriter(const JournalWriter&) = delete;
    JournalWriter& operator=(const JournalWriter&) = delete;
    ~JournalWriter(); // closes

    void write(policy::JournalEntry entry); // dropped where there is no room, or it is closed

    void close(); // tries once to write what waits, and ends the thread

    JournalHealth health() const;

private:
    using Clock = std::chrono::steady_clock;

    void run();
    bool wait_for_work(std::unique_lock<std::mutex>& lock);
    void take_turn();
    std::size_t take_queue();
    void write_batch();
    void make_room();
    void trim_when_due();
    void trim_rest_when_due();
    void note_written(std::size_t written, std::size_t octets);
    void note_trouble(const std::string& what);
    void note_no_trouble();

    const Open open_;
    const BoundsNow bounds_;
    const OnChange on_change_;
    const JournalLimits limits_;

    // The writer's thread alone.
    JournalTarget target_;
    std::vector<policy::JournalEntry> batch_; // taken from the queue and not yet written
    Clock::time_point next_trim_{};
    Clock::time_point next_trim_of_rest_{};
    std::uint64_t written_since_trim_ = 0;
    bool has_more_to_trim_ = false;

    mutable std::mutex mutex_; // guards what follows
    std::condition_variable wakes_;
    std::vector<policy::JournalEntry> queue_;
    std::size_t waiting_octets_ = 0; // of queue_ and batch_
    JournalHealth health_;
    bool is_ending_ = false;

    std::thread thread_; // last: it uses all of the above
};

} // namespace store
