#include "milter/store/fallback_watch.hpp"

#include "policy/ascii.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <utility>

namespace store {

namespace {

constexpr std::chrono::hours between_tellings{1};

// By which clocks of two hosts may differ.
constexpr std::chrono::seconds skew{5};

// With an octet between that no line of SMTP has.
std::string joined(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts) {
        text.append(part).append(1, '\0');
    }
    return text;
}

} // namespace

// With one key, and each for its own: no fingerprint is the hash of a local part.
struct FallbackWatch::Hashing {
    explicit Hashing(const std::string& key) : hmac{key}, local_parts{key} {}

    mutable Hmac hmac;
    LocalParts local_parts;
};

std::size_t FallbackWatch::FingerprintHash::operator()(const Fingerprint& fingerprint) const {
    std::size_t hash = 0; // its octets are as good as random, and nobody without the key knows them
    std::memcpy(&hash, fingerprint.data(), sizeof hash);
    return hash;
}

FallbackWatch::FallbackWatch(Open open, BoundsNow bounds, OnChange on_change, WatchLimits limits)
    : open_{std::move(open)}, bounds_{std::move(bounds)},
      on_change_{std::move(on_change)}, limits_{limits} {
    take_turn(); // who asks first shall find the key, and trouble is told at the start
    thread_ = std::thread{[this] { run(); }};
}

FallbackWatch::~FallbackWatch() {
    close();
}

void FallbackWatch::close() {
    {
        const std::lock_guard lock{mutex_};
        is_ending_ = true;
    }
    wakes_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
}

WatchHealth FallbackWatch::health() const {
    const std::lock_guard lock{mutex_};
    WatchHealth health = health_;
    health.waiting += opens_.size() + ends_.size();
    return health;
}

std::shared_ptr<const FallbackWatch::Hashing> FallbackWatch::hashing() const {
    const std::lock_guard lock{mutex_};
    return hashing_;
}

// Addresses as few receivers tell them apart: without case.
std::vector<Fingerprint> FallbackWatch::fingerprints_of(const WatchedMessage& message,
                                                        const Hashing& hashing) {
    const std::string mail_from = policy::to_lower(message.mail_from);
    std::vector<Fingerprint> fingerprints;
    fingerprints.reserve(message.recipients.size());
    for (const auto& recipient : message.recipients) {
        const std::string text =
            joined({"fallback", mail_from, policy::to_lower(recipient), message.identity});
        const Hmac::Digest digest = hashing.hmac.digest(text);
        Fingerprint& fingerprint = fingerprints.emplace_back();
        std::copy_n(digest.begin(), fingerprint.size(), fingerprint.begin());
    }
    return fingerprints;
}

void FallbackWatch::note_open_entries() {
    open_entries_ = entries_.size();
}

void FallbackWatch::refused(const WatchedMessage& message, const policy::SoftRefusal& refusal) {
    const auto hashing = this->hashing();
    const auto fingerprints =
        hashing ? fingerprints_of(message, *hashing) : std::vector<Fingerprint>{};
    policy::SoftRefusal entry = refusal;
    entry.mail_from = hashing ? hashing->local_parts.hidden(message.mail_from) : "";
    const std::lock_guard lock{mutex_};
    const std::size_t waiting = opens_.size() + health_.waiting + message.recipients.size();
    if (is_ending_ || waiting > limits_.waiting || !hashing) {
        health_.dropped += message.recipients.size();
        return;
    }
    for (std::size_t i = 0; i < fingerprints.size(); ++i) {
        const bool is_known = entries_.contains(fingerprints[i]);
        if (!is_known && entries_.size() >= limits_.open) {
            ++health_.dropped; // it would read as never seen again
            continue;
        }
        entries_.try_emplace(fingerprints[i], refusal.first);
        entry.recipient = hashing->local_parts.hidden(message.recipients[i]);
        opens_.push_back({fingerprints[i], entry});
    }
    note_open_entries();
    wakes_.notify_one();
}

void FallbackWatch::arrived(const WatchedMessage& message, const policy::Recovery& recovery) {
    const auto hashing = this->hashing();
    if (!hashing || !has_open()) {
        return;
    }
    const auto fingerprints = fingerprints_of(message, *hashing);
    const std::lock_guard lock{mutex_};
    for (const Fingerprint& fingerprint : fingerprints) {
        const FallbackEnd end{fingerprint, recovery};
        if (entries_.erase(fingerprint) == 0) {
            recent_.push_back({end, Clock::now()});
        } else if (ends_.size() + health_.waiting < limits_.waiting) {
            ends_.push_back(end);
            wakes_.notify_one();
        } else {
            ++health_.dropped;
        }
    }
    while (recent_.size() > limits_.recent) {
        recent_.pop_front();
    }
    note_open_entries();
}

void FallbackWatch::run() {
    std::unique_lock lock{mutex_};
    for (bool is_last = false; !is_last;) {
        wakes_.wait_for(lock, limits_.poll, [this] {
            const bool has_work = !opens_.empty() || !ends_.empty();
            return is_ending_ || (has_work && health_.trouble.empty());
        });
        wakes_.wait_for(lock, limits_.collect, [this] { return is_ending_; });
        is_last = is_ending_;
        lock.unlock();
        take_turn();
        lock.lock();
    }
}

void FallbackWatch::take_turn() {
    std::string trouble;
    try {
        open_target();
        write();
        follow();
        trim_when_due();
    } catch (const std::exception& error) {
        trouble = error.what();
    }
    expire();
    note(trouble);
}

// Also after trouble: the store may be another one, and have other entries.
void FallbackWatch::open_target() {
    if (ledger_) {
        return;
    }
    FallbackTarget target = open_();
    auto hashing = std::make_shared<const Hashing>(target.key);
    const auto open = target.ledger->open_entries(bounds_().open_since, limits_.open);
    position_ = open.position;
    ledger_ = std::move(target.ledger);
    const std::lock_guard lock{mutex_};
    hashing_ = std::move(hashing);
    for (const FallbackChange& change : open.changes) {
        note_change(change);
    }
    note_open_entries();
}

// What waits goes before what others have changed is asked for, so that the answer knows of it.
void FallbackWatch::write() {
    {
        const std::lock_guard lock{mutex_};
        std::ranges::move(std::exchange(opens_, {}), std::back_inserter(opens_under_way_));
        std::ranges::move(std::exchange(ends_, {}), std::back_inserter(ends_under_way_));
        health_.waiting = opens_under_way_.size() + ends_under_way_.size();
    }
    std::uint64_t dropped = 0;
    if (!opens_under_way_.empty()) {
        dropped = ledger_->open(opens_under_way_);
    }
    const std::size_t opened = std::exchange(opens_under_way_, {}).size();
    if (!ends_under_way_.empty()) {
        ledger_->end(ends_under_way_);
    }
    const std::size_t ended = std::exchange(ends_under_way_, {}).size();
    const std::lock_guard lock{mutex_};
    health_.opened += opened - dropped;
    health_.ended += ended;
    health_.dropped += dropped;
    health_.waiting = 0;
}

// Of another host, or of this one, which knows. One that has just come back here is over.
void FallbackWatch::note_change(const FallbackChange& change) {
    if (!change.is_open) {
        entries_.erase(change.fingerprint);
        return;
    }
    const auto arrival = std::ranges::find_if(recent_, [&](const Arrival& each) {
        return each.end.fingerprint == change.fingerprint &&
               each.end.recovery.time + skew >= change.first;
    });
    if (arrival != recent_.end()) {
        FallbackEnd end = arrival->end;
        end.recovery.time = std::max(end.recovery.time, change.first); // as clocks may differ
        ends_.push_back(end);
    } else if (entries_.size() < limits_.open) {
        entries_.try_emplace(change.fingerprint, change.first);
    }
}

void FallbackWatch::follow() {
    constexpr std::size_t most = 1'000;
    for (bool has_more = true; has_more;) {
        const auto found = ledger_->changes_after(position_, most);
        has_more = found.changes.size() >= most;
        position_ = found.position;
        const std::lock_guard lock{mutex_};
        for (const FallbackChange& change : found.changes) {
            note_change(change);
        }
        note_open_entries();
    }
}

void FallbackWatch::expire() {
    const policy::Time since = bounds_().open_since;
    const auto long_ago = Clock::now() - limits_.remember;
    const std::lock_guard lock{mutex_};
    std::erase_if(entries_, [&](const auto& entry) { return entry.second < since; });
    while (!recent_.empty() && recent_.front().time < long_ago) {
        recent_.pop_front();
    }
    note_open_entries();
}

void FallbackWatch::trim_when_due() {
    if (Clock::now() >= next_trim_) {
        ledger_->trim(bounds_().oldest);
        next_trim_ = Clock::now() + limits_.trim;
    }
}

void FallbackWatch::note(const std::string& trouble) {
    {
        const std::lock_guard lock{mutex_};
        health_.trouble = trouble;
    }
    WatchHealth health = this->health();
    if (!trouble.empty()) {
        ledger_.reset();
    }
    const bool is_change = std::exchange(is_told_, !trouble.empty()) != is_told_;
    const bool has_dropped = health.dropped > dropped_told_ && Clock::now() >= next_telling_;
    if (is_change || has_dropped) {
        dropped_told_ = health.dropped;
        next_telling_ = Clock::now() + between_tellings;
        health.has_recovered = is_change && trouble.empty();
        on_change_(health);
    }
}

} // namespace store
