#include "milter/store/journal_writer.hpp"

#include "policy/evidence_octets.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace store {

namespace {

// At a time, since entries wait for it; or twice as many as came, so that it catches up.
constexpr std::uint64_t least_to_trim = 20'000;

// About what an entry takes in memory.
std::size_t octets_of(const policy::JournalEntry& entry) {
    return sizeof entry - sizeof entry.evidence + octets_of(entry.evidence);
}

} // namespace

JournalWriter::JournalWriter(Open open, BoundsNow bounds, OnChange on_change, JournalLimits limits)
    : open_{std::move(open)}, bounds_{std::move(bounds)},
      on_change_{std::move(on_change)}, limits_{limits}, thread_{[this] { run(); }} {}

JournalWriter::~JournalWriter() {
    close();
}

void JournalWriter::close() {
    {
        const std::lock_guard lock{mutex_};
        is_ending_ = true;
    }
    wakes_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void JournalWriter::write(policy::JournalEntry entry) {
    const std::size_t octets = octets_of(entry);
    bool is_first = false;
    {
        const std::lock_guard lock{mutex_};
        if (is_ending_ || waiting_octets_ + octets > limits_.queue_octets) {
            ++health_.dropped;
            return;
        }
        is_first = queue_.empty();
        waiting_octets_ += octets;
        ++health_.waiting;
        queue_.push_back(std::move(entry));
    }
    if (is_first) {
        wakes_.notify_one();
    }
}

JournalHealth JournalWriter::health() const {
    const std::lock_guard lock{mutex_};
    return health_;
}

// Until there is something to do; false when that is to end.
bool JournalWriter::wait_for_work(std::unique_lock<std::mutex>& lock) {
    const auto ends = [this] { return is_ending_; };
    if (!health_.trouble.empty()) {
        wakes_.wait_for(lock, limits_.retry, ends);
    } else {
        // Not longer than to the next trim, mail or no mail.
        wakes_.wait_for(lock, limits_.trim, [this] {
            return is_ending_ || has_more_to_trim_ || !queue_.empty();
        });
        wakes_.wait_for(lock, limits_.collect, ends);
    }
    return !is_ending_;
}

void JournalWriter::run() {
    take_turn(); // opens the store, so that trouble with it is told at the start
    std::unique_lock lock{mutex_};
    while (wait_for_work(lock)) {
        lock.unlock();
        take_turn();
        lock.lock();
    }
    lock.unlock();
    take_turn();
}

void JournalWriter::take_turn() {
    try {
        if (!target_.store) {
            target_ = open_();
        }
        write_batch();
        trim_when_due();
        trim_rest_when_due();
        note_no_trouble();
    } catch (const std::exception& error) {
        note_trouble(error.what());
    }
}

// Now all that waits is in batch_; returns the octets of it.
std::size_t JournalWriter::take_queue() {
    const std::lock_guard lock{mutex_};
    if (batch_.empty()) {
        batch_.swap(queue_); // each keeps the room that it has grown to
    } else {
        std::ranges::move(queue_, std::back_inserter(batch_));
        queue_.clear();
    }
    return waiting_octets_;
}

void JournalWriter::write_batch() {
    const std::size_t octets = take_queue();
    if (batch_.empty()) {
        return;
    }
    std::ranges::for_each(batch_, target_.prepare);
    try {
        target_.store->append(batch_);
    } catch (const StoreError&) {
        make_room();
        throw;
    }
    const std::size_t written = batch_.size();
    batch_.clear();
    note_written(written, octets);
}

// For the next time, in a store that is full. What append() has said is what is told.
void JournalWriter::make_room() {
    try {
        target_.store->trim(bounds_());
    } catch (const StoreError&) { // as append()
    }
}

void JournalWriter::trim_when_due() {
    if (Clock::now() < next_trim_ && written_since_trim_ < limits_.trim_entries &&
        !has_more_to_trim_) {
        return;
    }
    const std::uint64_t enough = std::max(least_to_trim, 2 * written_since_trim_);
    std::uint64_t trimmed = 0;
    do {
        const auto [entries, has_more] = target_.store->trim(bounds_());
        trimmed += entries;
        has_more_to_trim_ = has_more;
    } while (has_more_to_trim_ && trimmed < enough);
    next_trim_ = Clock::now() + limits_.trim;
    written_since_trim_ = 0;
}

void JournalWriter::trim_rest_when_due() {
    if (target_.trim_rest && Clock::now() >= next_trim_of_rest_) {
        const bool has_more = target_.trim_rest();
        next_trim_of_rest_ = Clock::now() + (has_more ? Clock::duration{} : limits_.trim_rest);
    }
}

void JournalWriter::note_written(std::size_t written, std::size_t octets) {
    written_since_trim_ += written;
    const std::lock_guard lock{mutex_};
    health_.written += written;
    health_.waiting -= written;
    waiting_octets_ -= octets;
}

// The store is opened anew the next time: somebody may have put the file right, or another there.
// And it is trimmed: the trouble may have been with that.
void JournalWriter::note_trouble(const std::string& what) {
    target_ = {};
    next_trim_ = {};
    JournalHealth health;
    {
        const std::lock_guard lock{mutex_};
        const bool is_known = !health_.trouble.empty();
        health_.trouble = what;
        if (is_known) {
            return;
        }
        health = health_;
    }
    on_change_(health);
}

void JournalWriter::note_no_trouble() {
    JournalHealth health;
    {
        const std::lock_guard lock{mutex_};
        if (std::exchange(health_.trouble, {}).empty()) {
            return;
        }
        health = health_;
    }
    on_change_(health);
}

} // namespace store
