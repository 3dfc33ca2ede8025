// Remembers what was refused softly, and notices when the same message comes again: the one thread
// that waits for the ledger of the fallback watch.
//
// What it promises: a message that reaches its end again, at whatever host of the store, ends its
// entry where that host knew of any open entry by then; what another host opens is known after a
// `poll` and no more than `recent` late, because arrivals are remembered for as long. So a sender
// that falls back to another host within a second is seen there, unless nothing else at all was
// open at that moment. Until a host has read what is open, it takes it that something is.
#pragma once

#include "milter/store/fallback_ledger.hpp"
#include "milter/store/fallback_memory.hpp"
#include "milter/store/hmac.hpp"
#include "milter/store/local_parts.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace store {

// A message as whoever sends it again sends it.
struct WatchedMessage {
    std::string_view mail_from;
    std::span<const std::string> recipients;
    std::string_view identity; // what tells it from others of the same sender
};

// Throw StoreError.
struct FallbackTarget {
    std::function<std::string()> key; // the same on all hosts; is in a file of this one
    std::function<std::unique_ptr<FallbackLedger>()> ledger;
};

struct WatchLimits {
    std::size_t open = 200'000;              // entries that are watched for
    std::size_t of_site = 20'000;            // of them, that come from one /48
    std::size_t recent = 10'000;             // arrivals that are remembered
    std::size_t waiting = 20'000;            // for a store in trouble; beyond is dropped
    std::size_t waiting_octets = 16U << 20U; // likewise
    std::chrono::milliseconds collect{200};  // how long these may wait to go together
    std::chrono::milliseconds poll{1'000};   // how often other hosts' entries are asked for
    std::chrono::seconds remember{60};       // an arrival; longer while the store is in trouble
};

struct WatchHealth {
    std::uint64_t opened = 0;
    std::uint64_t ended = 0;
    std::uint64_t dropped = 0;  // had no room, here or in the store
    std::size_t waiting = 0;    // opened or ended here, and not yet in the store
    std::string trouble;        // with the store, now; empty where there is none
    bool has_recovered = false; // just now, from trouble
};

// Sessions never wait for the store. Shared by all of them.
class FallbackWatch {
public:
    // Told of by the watch's thread when trouble begins, when it is over, and when something was
    // dropped, at most once an hour.
    using OnChange = std::function<void(const WatchHealth& health)>;

    // Older entries are not watched for. Called by sessions and by the watch's thread.
    using OpenSince = std::function<policy::Time()>;

    // Asks for the key, and for nothing else; that is done again, and the ledger opened, by the
    // watch's thread: at the start, and after trouble.
    FallbackWatch(FallbackTarget target,
                  OpenSince open_since,
                  OnChange on_change,
                  const WatchLimits& limits = {});
    FallbackWatch(const FallbackWatch&) = delete;
    FallbackWatch& operator=(const FallbackWatch&) = delete;
    ~FallbackWatch(); // closes

    // Whether anything is open, or may be: nothing need be known of a message where nothing is.
    bool has_open() const { return !is_read_ || open_entries_ != 0; }

    // `refusal` is the same for all recipients, but for the addresses.
    void refused(const WatchedMessage& message, const policy::SoftRefusal& refusal);

    // Has reached its end.
    void arrived(const WatchedMessage& message, const policy::Recovery& recovery);

    void close(); // tries once to write what waits, and ends the thread

    WatchHealth health() const;

private:
    using Clock = RecentArrivals::Clock;

    struct Hashing;

    static std::vector<Fingerprint> fingerprints_of(const WatchedMessage& message,
                                                    const Hashing& hashing);
    static std::vector<FallbackEntry> entries_of(const WatchedMessage& message,
                                                 const policy::SoftRefusal& refusal,
                                                 const Hashing& hashing);
    std::shared_ptr<const Hashing> hashing() const;
    void read_key();
    void run();
    void take_turn();
    bool has_room_for(const FallbackEntry& entry) const;
    void add_end(const FallbackEnd& end);
    void write();
    void write_opens();
    void write_ends();
    void read_open_entries();
    void follow();
    void note_changes(const std::vector<FallbackChange>& changes);
    void note_change(const FallbackChange& change);
    void expire();
    void forget_arrivals();
    void note(const std::string& trouble);

    const FallbackTarget target_;
    const OpenSince open_since_;
    const OnChange on_change_;
    const WatchLimits limits_;

    // The watch's thread alone.
    std::unique_ptr<FallbackLedger> ledger_;
    FallbackLedger::Position position_ = 0;
    bool has_position_ = false;
    std::vector<FallbackEntry> opens_under_way_; // taken and not yet written
    std::vector<FallbackEnd> ends_under_way_;
    Clock::time_point next_telling_{};
    std::uint64_t dropped_told_ = 0;
    bool is_told_ = false; // that there is trouble

    std::atomic<bool> is_read_{false}; // what is open is in memory
    std::atomic<std::size_t> open_entries_{0};

    mutable std::mutex mutex_; // guards what follows
    std::condition_variable wakes_;
    std::shared_ptr<const Hashing> hashing_; // null until the key is there
    OpenMessages entries_;
    RecentArrivals recent_; // that matched nothing
    std::vector<FallbackEntry> opens_;
    std::vector<FallbackEnd> ends_;
    std::size_t waiting_octets_ = 0; // of what health_.waiting counts
    WatchHealth health_;
    bool is_ending_ = false;

    std::thread thread_; // uses all of the above
};

} // namespace store
