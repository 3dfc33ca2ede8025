// The messages that were refused softly, each with each of its recipients, and what became of them
// (DESIGN section 9). One interface for a file of this host and for a server that several hosts
// share; the tests of both are tests/store/fallback_ledger_contract.hpp.
#pragma once

#include "policy/address.hpp"
#include "policy/evidence.hpp"
#include "policy/fallback.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace store {

// Of MAIL FROM, one recipient and what tells the message from others; keyed, so that whoever has
// the store cannot ask it whether two people write to each other.
using Fingerprint = std::array<std::uint8_t, 16>;

// `refusal.mail_from` and `refusal.recipient` have hashed local parts.
struct FallbackEntry {
    Fingerprint fingerprint{};
    policy::SoftRefusal refusal;

    friend bool operator==(const FallbackEntry&, const FallbackEntry&) = default;
};

struct FallbackEnd {
    Fingerprint fingerprint{};
    policy::Recovery recovery;
};

// An entry that is open, or is not any more.
struct FallbackChange {
    Fingerprint fingerprint{};
    policy::Time first; // refusal
    bool is_open = true;
    policy::Address network{}; // of one that is open

    friend bool operator==(const FallbackChange&, const FallbackChange&) = default;
};

struct FallbackLimits {
    std::uint64_t most = 500'000; // entries; about, where several hosts open some at once
};

// Blocks for the disk or the network, a second or so at the most for one that does not answer.
// Every function may throw StoreError. Used by one thread at a time; several processes and hosts
// may have the same ledger open.
class FallbackLedger {
public:
    // Where a change stands among all; grows, and 0 is before the first. An entry's opening and its
    // end are changes, another refusal of the same message is none.
    using Position = std::int64_t;
    using Visit = std::function<void(const FallbackEntry& entry)>;
    using Predicate = std::function<bool(const FallbackEntry& entry)>;

    struct Changes {
        Position position = 0; // of the last one
        std::vector<FallbackChange> changes;
    };

    FallbackLedger() = default;
    FallbackLedger(const FallbackLedger&) = delete;
    FallbackLedger& operator=(const FallbackLedger&) = delete;
    virtual ~FallbackLedger() = default;

    // Opens an entry for each. Where there is one of the fingerprint it is left as it is, but for
    // its attempts, and the earlier of two first refusals: also where it has ended. Where there are
    // too many the oldest makes room whose fate is known: its first refusal was before `settled`,
    // or it has ended. Returns how many found no room. Where it throws, some of them may be open;
    // opened again, those have an attempt too many.
    virtual std::uint64_t open(std::span<const FallbackEntry> entries, policy::Time settled) = 0;

    // Ends those that are open; the others are passed over. Where it throws, some may have ended.
    virtual void end(std::span<const FallbackEnd> ends) = 0;

    // The entries that are open with a first refusal at `since` or later, the latest `most` of
    // them, and the position from which to follow them.
    virtual Changes open_entries(policy::Time since, std::size_t most) = 0;

    // What has changed after `position`, in order, about `most` at a time or fewer, and none where
    // that is all; what is gone is left out. Throws also where the ledger has not come so far: it
    // is not the one of before.
    virtual Changes changes_after(Position position, std::size_t most) = 0;

    // Those with a first refusal at `since` or later, in any order.
    virtual void read(policy::Time since, const Visit& visit) = 0;

    // Removes entries with a first refusal before, and no more than these: others wait meanwhile.
    // Returns how many.
    static constexpr std::uint64_t most_trimmed = 5'000;
    virtual std::uint64_t trim(policy::Time oldest) = 0;

    // Removes every entry of which the predicate is true; returns how many. Traces that a file may
    // keep of them go with Store::forget(), which is called after this.
    virtual std::uint64_t forget(const Predicate& is_meant) = 0;
};

} // namespace store
