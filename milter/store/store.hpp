// What outlives a message (DESIGN section 9): the journal. One interface for a file of this host
// and for a server that several hosts share.
#pragma once

#include "policy/address.hpp"
#include "policy/journal.hpp"
#include "policy/rules.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

namespace store {

// The store is away, full, read-only, damaged or of another version; what() names it and why.
class StoreError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Which entries of the journal are meant: those to which all that is set applies.
struct Filter {
    std::optional<policy::Time> since{}; // this moment included
    std::string case_id{};
    std::optional<policy::Prefix> client{};
    std::optional<std::string> domain{}; // of MAIL FROM, in any case; "": the null path
    std::optional<policy::Reason> reason{};
    std::string stage{};
};

// How many entries there may be, and from when; whatever is beyond goes.
struct Bounds {
    policy::Time oldest;
    std::uint64_t most = 0;
};

// Entries that were passed over because they are damaged or of a later version.
struct Unreadable {
    std::uint64_t entries = 0;
    std::string trouble; // with the first of them; names its case
};

// Blocks for the disk or the network, a second or so at the most for one that does not answer.
// Every function may throw StoreError. Used by one thread at a time; several processes and hosts
// may have the same store open.
class Store {
public:
    // Where an entry stands in the order of arrival; grows, and 0 is before the first.
    using Position = std::int64_t;

    using Visit = std::function<void(const policy::JournalEntry&)>;
    using Predicate = std::function<bool(const policy::JournalEntry&)>;

    struct Reading {
        Position position = 0; // of the last entry that was there
        Unreadable unreadable;
    };

    struct Trimmed {
        std::uint64_t entries = 0;
        bool has_more = false;
    };

    struct Forgotten {
        std::uint64_t entries = 0;
        Unreadable unreadable; // and still there
    };

    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    virtual ~Store() = default;

    // Where it throws, the same ones may be appended again, also with others behind them, and each
    // is there once. Until then some of them may be there, where the store is a server.
    virtual void append(std::span<const policy::JournalEntry> entries) = 0;

    // The position of the last entry: what comes from now on is after it.
    virtual Position end() = 0;

    // Visits what `filter` means and came after `position`, in the order of arrival. What is
    // appended meanwhile is left for the next time.
    virtual Reading read(const Filter& filter, Position position, const Visit& visit) = 0;

    // At most how many read() would visit, from the beginning.
    virtual std::uint64_t count(const Filter& filter) = 0;

    // Removes some of what is out of bounds. What is too old may
    // take several turns to be found where the clock was once wrong.
    virtual Trimmed trim(const Bounds& bounds) = 0;

    // Removes every entry of which the predicate is true, so that nothing of it can be found in
    // the store's files, or in the memory of a server. One that cannot be read is judged by its
    // client and the domain of its MAIL FROM.
    virtual Forgotten forget(const Predicate& is_meant) = 0;
};

} // namespace store
