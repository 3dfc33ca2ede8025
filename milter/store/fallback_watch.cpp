#include "milter/store/fallback_watch.hpp"

#include "policy/ascii.hpp"

#include <algorithm>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <span>
#include <utility>

namespace store {

namespace {

constexpr std::chrono::hours between_tellings{1};

// By which clocks of two hosts may differ.
constexpr std::chrono::seconds skew{5};

// At a time: mail waits for no more than these, and trouble has no more of them written twice.
constexpr std::size_t changes_at_once = 500;

// RFC 5321 section 4.5.3.1 and RFC 1035 section 2.3.4. What is longer is nobody's.
constexpr std::size_t longest_address = 64 + 1 + 255;
constexpr std::size_t longest_sender_domain = 255;

// With an octet between that no line of SMTP has.
std::string joined(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts) {
        text.append(part).append(1, '\0');
    }
    return text;
}

// About what it takes in memory.
std::size_t waiting_octets_of(const FallbackEntry& entry) {
    const policy::SoftRefusal& refusal = entry.refusal;
    return sizeof entry + refusal.stage.size() + refusal.mail_from.size() +
           refusal.mail_from_domain.size() + refusal.recipient.size();
}

// `items` a few at a time to `write`; each few are taken off when they are written.
template <typename Item, typename Write>
void write_in_turns(std::vector<Item>& items, Write write) {
    while (!items.empty()) {
        const auto number = std::min(items.size(), changes_at_once);
        write(std::span<const Item>{items}.first(number));
        items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(number));
    }
}

} // namespace

// With one key, and each for its own: no fingerprint is the hash of a local part.
struct FallbackWatch::Hashing {
    explicit Hashing(const std::string& key) : hmac{key}, local_parts{key} {}

    std::string hidden(std::string_view address) const {
        return local_parts.hidden(address).substr(0, longest_address);
    }

    mutable Hmac hmac;
    LocalParts local_parts;
};

FallbackWatch::FallbackWatch(FallbackTarget target,
                             OpenSince open_since,
                             OnChange on_change,
                             const WatchLimits& limits)
    : target_{std::move(target)}, open_since_{std::move(open_since)},
      on_change_{std::move(on_change)}, limits_{limits}, recent_{limits.recent} {
    try {
        read_key();                   // who asks first shall find it
    } catch (const std::exception&) { // the thread meets the same, and tells it
    }
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
    return health_;
}

std::shared_ptr<const FallbackWatch::Hashing> FallbackWatch::hashing() const {
    const std::lock_guard lock{mutex_};
    return hashing_;
}

void FallbackWatch::read_key() {
    auto hashing = std::make_shared<const Hashing>(target_.key());
    const std::lock_guard lock{mutex_};
    hashing_ = std::move(hashing);
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

std::vector<FallbackEntry> FallbackWatch::entries_of(const WatchedMessage& message,
                                                     const policy::SoftRefusal& refusal,
                                                     const Hashing& hashing) {
    policy::SoftRefusal of_all = refusal;
    of_all.mail_from = hashing.hidden(message.mail_from);
    of_all.mail_from_domain.resize(std::min(of_all.mail_from_domain.size(), longest_sender_domain));
    std::vector<FallbackEntry> entries;
    entries.reserve(message.recipients.size());
    for (const Fingerprint& fingerprint : fingerprints_of(message, hashing)) {
        FallbackEntry& entry = entries.emplace_back(FallbackEntry{fingerprint, of_all});
        entry.refusal.recipient = hashing.hidden(message.recipients[entries.size() - 1]);
    }
    return entries;
}

// Without room it would read as never seen again.
bool FallbackWatch::has_room_for(const FallbackEntry& entry) const {
    const bool may_wait = !is_ending_ && health_.waiting < limits_.waiting &&
                          waiting_octets_ + waiting_octets_of(entry) <= limits_.waiting_octets;
    const bool may_be_open = entries_.contains(entry.fingerprint) ||
                             (entries_.size() < limits_.open &&
                              entries_.of_site(entry.refusal.network) < limits_.of_site);
    return may_wait && may_be_open;
}

void FallbackWatch::refused(const WatchedMessage& message, const policy::SoftRefusal& refusal) {
    const auto hashing = this->hashing();
    if (!hashing) {
        const std::lock_guard lock{mutex_};
        health_.dropped += message.recipients.size();
        return;
    }
    auto entries = entries_of(message, refusal, *hashing);
    const std::lock_guard lock{mutex_};
    for (FallbackEntry& entry : entries) {
        if (!has_room_for(entry)) {
            ++health_.dropped;
            continue;
        }
        entries_.add(entry.fingerprint, entry.refusal.first, entry.refusal.network);
        ++health_.waiting;
        waiting_octets_ += waiting_octets_of(entry);
        opens_.push_back(std::move(entry));
    }
    open_entries_ = entries_.size();
    wakes_.notify_one();
}

void FallbackWatch::arrived(const WatchedMessage& message, const policy::Recovery& recovery) {
    const auto hashing = this->hashing();
    if (!hashing || !has_open()) {
        return;
    }
    const auto fingerprints = fingerprints_of(message, *hashing);
    const policy::Time since = open_since_();
    const std::lock_guard lock{mutex_};
    for (const Fingerprint& fingerprint : fingerprints) {
        if (is_ending_) {
            ++health_.dropped;
            continue;
        }
        const auto first = entries_.first_of(fingerprint);
        if (!first) {
            recent_.add({fingerprint, recovery}, Clock::now());
        } else if (*first >= since) {
            entries_.remove(fingerprint);
            add_end({fingerprint, recovery});
        }
    }
    open_entries_ = entries_.size();
}

void FallbackWatch::add_end(const FallbackEnd& end) {
    if (health_.waiting >= limits_.waiting) {
        ++health_.dropped;
        return;
    }
    ends_.push_back(end);
    ++health_.waiting;
    waiting_octets_ += sizeof end;
    wakes_.notify_one();
}

void FallbackWatch::run() {
    take_turn(); // reads what is open, so that trouble with that is told at the start
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

// What waits goes before what is open, or what others have changed, is asked for: so that the
// answer knows of it.
void FallbackWatch::take_turn() {
    std::string trouble;
    try {
        if (!ledger_) {
            read_key();
            ledger_ = target_.ledger();
        }
        write();
        read_open_entries();
        follow();
        write(); // what has come back before that was heard
    } catch (const std::exception& error) {
        trouble = error.what();
    }
    expire();
    if (trouble.empty()) { // else what others have opened meanwhile is not known yet
        forget_arrivals();
    }
    note(trouble);
}

void FallbackWatch::write() {
    {
        const std::lock_guard lock{mutex_};
        std::ranges::move(std::exchange(opens_, {}), std::back_inserter(opens_under_way_));
        std::ranges::move(std::exchange(ends_, {}), std::back_inserter(ends_under_way_));
    }
    write_opens();
    write_ends();
}

void FallbackWatch::write_opens() {
    write_in_turns(opens_under_way_, [this](std::span<const FallbackEntry> entries) {
        const std::uint64_t dropped = ledger_->open(entries, open_since_());
        const std::lock_guard lock{mutex_};
        health_.opened += entries.size() - dropped;
        health_.dropped += dropped;
        health_.waiting -= entries.size();
        for (const FallbackEntry& entry : entries) {
            waiting_octets_ -= waiting_octets_of(entry);
        }
    });
}

void FallbackWatch::write_ends() {
    write_in_turns(ends_under_way_, [this](std::span<const FallbackEnd> ends) {
        ledger_->end(ends);
        const std::lock_guard lock{mutex_};
        health_.ended += ends.size();
        health_.waiting -= ends.size();
        waiting_octets_ -= ends.size_bytes();
    });
}

// At the start, and after trouble: others have gone on meanwhile, or the store is another one. What
// arrives while this is under way is remembered, and is found in its turn.
void FallbackWatch::read_open_entries() {
    if (has_position_) {
        return;
    }
    const auto open = ledger_->open_entries(open_since_(), limits_.open);
    OpenMessages old;
    {
        const std::lock_guard lock{mutex_};
        is_read_ = false;
        std::swap(old, entries_);
    }
    note_changes(open.changes);
    position_ = open.position;
    has_position_ = true;
    is_read_ = true;
}

void FallbackWatch::follow() {
    while (true) {
        const auto found = ledger_->changes_after(position_, changes_at_once);
        if (found.changes.empty()) {
            return;
        }
        note_changes(found.changes);
        position_ = found.position;
    }
}

void FallbackWatch::note_changes(const std::vector<FallbackChange>& changes) {
    for (std::span<const FallbackChange> left{changes}; !left.empty();) {
        const auto some = left.first(std::min(left.size(), changes_at_once));
        left = left.subspan(some.size());
        const std::lock_guard lock{mutex_};
        std::ranges::for_each(some, [this](const FallbackChange& change) { note_change(change); });
        open_entries_ = entries_.size();
    }
}

// Of another host, or of this one, which knows. One that has just come back here is over.
void FallbackWatch::note_change(const FallbackChange& change) {
    if (!change.is_open) {
        entries_.remove(change.fingerprint);
        return;
    }
    if (auto recovery = recent_.first_since(change.fingerprint, change.first - skew)) {
        recovery->time = std::max(recovery->time, change.first); // as clocks may differ
        add_end({change.fingerprint, *recovery});
    } else if (entries_.size() < limits_.open) {
        entries_.add(change.fingerprint, change.first, change.network);
    }
}

void FallbackWatch::expire() {
    const policy::Time since = open_since_();
    bool has_more = true;
    while (has_more) {
        const std::lock_guard lock{mutex_};
        has_more = entries_.expire(since, changes_at_once) == changes_at_once;
        open_entries_ = entries_.size();
    }
}

void FallbackWatch::forget_arrivals() {
    const auto before = Clock::now() - limits_.remember;
    bool has_more = true;
    while (has_more) {
        const std::lock_guard lock{mutex_};
        has_more = recent_.expire(before, changes_at_once) == changes_at_once;
    }
}

void FallbackWatch::note(const std::string& trouble) {
    WatchHealth health;
    {
        const std::lock_guard lock{mutex_};
        health_.trouble = trouble;
        health = health_;
    }
    if (!trouble.empty()) {
        ledger_.reset();
        has_position_ = false;
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
