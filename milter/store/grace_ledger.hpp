// How often each sender has fallen short in a soft stage with grace, and from when it was told that
// its mail is refused (DESIGN section 9). One interface for a file of this host and for a server
// that several hosts share; the tests of both are tests/store/grace_ledger_contract.hpp.
#pragma once

#include "policy/address.hpp"
#include "policy/evidence.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace store {

// Whose attempts are counted together: a retry may come from another address of the network, and
// mail of one domain says nothing of another that is sent from there.
struct GraceKey {
    policy::Address network; // the first address of the client's /64
    std::string domain;      // organizational, as an A-label in lower case; "": there is none

    friend bool operator==(const GraceKey&, const GraceKey&) = default;
};

struct GraceRecord {
    policy::Time first; // attempt
    policy::Time last;
    std::uint64_t attempts = 0;
    policy::Time refused_from; // the latest date that it was told

    friend bool operator==(const GraceRecord&, const GraceRecord&) = default;
};

// Strangers can send from any number of networks with any number of domains. Who is not in the
// ledger and finds no room is treated as new, for ever.
struct GraceLimits {
    std::uint64_t most = 200'000;           // records; about, where several count at once
    std::uint64_t most_new_of_a_site = 100; // of one /48 in a day
    std::chrono::days until_anew{30};       // without an attempt, or `period` where that is longer
    std::chrono::days unused{60};           // then a record goes: no period is longer
};

// Blocks for the disk or the network, a second or so at the most for one that does not answer.
// Every function may throw StoreError. Used by one thread at a time; several processes and hosts
// may have the same ledger open.
class GraceLedger {
public:
    using Visit = std::function<void(const GraceKey& key, const GraceRecord& record)>;
    using Predicate = std::function<bool(const GraceKey& key)>;

    GraceLedger() = default;
    GraceLedger(const GraceLedger&) = delete;
    GraceLedger& operator=(const GraceLedger&) = delete;
    virtual ~GraceLedger() = default;

    // Counts an attempt and returns the record with it, in one step: of any number of attempts at
    // once, by whatever host, each sees another number. A new record's date is `time` + `period`.
    // A date that is there never moves back: it becomes `first` + `period` where that is later; but
    // whose last attempt is longer ago than `until_anew` and `period` has mended meanwhile, and its
    // record begins anew. Empty: there is no record and no room for one.
    virtual std::optional<GraceRecord>
    count(const GraceKey& key, policy::Time time, std::chrono::milliseconds period) = 0;

    // Removes records whose last attempt was before; returns how many.
    virtual std::uint64_t trim(policy::Time unused_since) = 0;

    virtual void read(const Visit& visit) = 0; // in any order

    // Removes every record of which the predicate is true; returns how many. Traces that a file
    // may keep of them go with Store::forget(), which is called after this.
    virtual std::uint64_t forget(const Predicate& is_meant) = 0;
};

} // namespace store
