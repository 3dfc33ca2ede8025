// Remembers what was refused softly, and notices when the same message comes again: the one thread
// that waits for the ledger of the fallback watch.
//
// What it promises: a message that reaches its end again, at whatever host of the store, ends its
// entry where that host knew of any open entry by then; what another host opens is known after a
// `poll` and no more than `recent` late, because arrivals are remembered for as long. So a sender
// that falls back to another host within a second is seen there, unless nothing else at all was
// open at that moment.
#pragma once

#include "milter/store/fallback_ledger.hpp"
#include "milter/store/hmac.hpp"
#include "milter/store/local_parts.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace store {

// A message as whoever sends it again sends it.
struct WatchedMessage {
    std::string_view mail_from;
    std::span<const std::string> recipients;
    std::string_view identity; // what tells it from others of the same sender
};

struct FallbackTarget {
    std::unique_ptr<FallbackLedger> ledger;
    std::string key; // the same on all hosts
};

struct WatchLimits {
    std::size_t open = 200'000;             // entries that are watched for
    std::size_t recent = 10'000;            // arrivals that are remembered
    std::size_t waiting = 20'000;           // for a store in trouble; beyond is dropped
    std::chrono::milliseconds collect{200}; // how long these may wait to go together
    std::chrono::milliseconds poll{1'000};  // how often other hosts' entries are asked for
    std::chrono::seconds remember{60};      // an arrival
    std::chrono::minutes trim{60};          // how often
};

struct WatchHealth {
    std::uint64_t opened = 0;
    std::uint64_t ended = 0;
    std::uint64_t dropped = 0; // had no room, here or in the store
    std::size_t waiting = 0;
    std::string trouble;        // with the store, now; empty where there is none
    bool has_recovered = false; // just now, from trouble
};

// Sessions never wait for the store. Shared by all of them.
class FallbackWatch {
public:
    // Throws StoreError. Called at the start, and by the watch's thread after trouble.
    using Open = std::function<FallbackTarget()>;
    // Told of by the watch's thread when trouble begins, when it is over, and when something was
    // dropped, at most once an hour.
    using OnChange = std::function<void(const WatchHealth& health)>;

    struct Bounds {
        policy::Time open_since; // older entries are not watched for
        policy::Time oldest;     // entry that is kept
    };

    using BoundsNow = std::function<Bounds()>;

    // Opens the ledger, and waits for that.
    FallbackWatch(Open open, BoundsNow bounds, OnChange on_change, WatchLimits limits = {});
    FallbackWatch(const FallbackWatch&) = delete;
    FallbackWatch& operator=(const FallbackWatch&) = delete;
    ~FallbackWatch(); // closes

    // Whether anything is open: nothing need be known of a message where nothing is.
    bool has_open() const { return open_entries_ != 0; }

    // `refusal` is the same for all recipients, but for the addresses.
    void refused(const WatchedMessage& message, const policy::SoftRefusal& refusal);

    // Has reached its end.
    void arrived(const WatchedMessage& message, const policy::Recovery& recovery);

    void close(); // tries once to write what waits, and ends the thread

    WatchHealth health() const;

private:
    using Clock = std::chrono::steady_clock;

    struct FingerprintHash {
        std::size_t operator()(const Fingerprint& fingerprint) const;
    };

    struct Arrival {
        FallbackEnd end;
        Clock::time_point time;
    };

    struct Hashing;

    static std::vector<Fingerprint> fingerprints_of(const WatchedMessage& message,
                                                    const Hashing& hashing);
    std::shared_ptr<const Hashing> hashing() const;
    void run();
    void take_turn();
    void open_target();
    void write();
    void follow();
    void note_change(const FallbackChange& change);
    void expire();
    void trim_when_due();
    void note(const std::string& trouble);
    void note_open_entries();

    const Open open_;
    const BoundsNow bounds_;
    const OnChange on_change_;
    const WatchLimits limits_;

    // The watch's thread alone.
    std::unique_ptr<FallbackLedger> ledger_;
    FallbackLedger::Position position_ = 0;
    std::vector<FallbackEntry> opens_under_way_; // taken and not yet written
    std::vector<FallbackEnd> ends_under_way_;
    Clock::time_point next_trim_{};
    Clock::time_point next_telling_{};
    std::uint64_t dropped_told_ = 0;
    bool is_told_ = false; // that there is trouble

    std::atomic<std::size_t> open_entries_{0}; // in memory

    mutable std::mutex mutex_; // guards what follows
    std::condition_variable wakes_;
    std::shared_ptr<const Hashing> hashing_; // null until the key is there
    std::unordered_map<Fingerprint, policy::Time, FingerprintHash> entries_; // open; first refusal
    std::deque<Arrival> recent_; // that matched nothing, the oldest first
    std::vector<FallbackEntry> opens_;
    std::vector<FallbackEnd> ends_;
    WatchHealth health_;
    bool is_ending_ = false;

    std::thread thread_; // uses all of the above
};

} // namespace store
