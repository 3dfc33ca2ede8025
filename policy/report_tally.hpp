// What a report counts of one group of messages while it takes them.
#pragma once

#include "policy/distinct.hpp"
#include "policy/report.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace policy {

// What a message is counted as, in the words of Counts.
enum class Prospect : std::uint8_t { passing, falling_short, temporary, exempt, unknown };

struct Outlook {
    Prospect prospect = Prospect::unknown;
    std::optional<Reason> reason;
    std::optional<Action> foretold; // empty: unknown
    std::string stage;              // that applies; empty: none, or unknown

    bool is_refused() const {
        return prospect == Prospect::falling_short && foretold != Action::accept;
    }
};

// By the entry's own verdict, were it enforced; by a candidate's, as it stands.
Outlook outlook_if_enforced(const Verdict& verdict);
Outlook outlook_of(const std::optional<Verdict>& candidate);

// The evidence of an entry as an example of what is found: copied when the first group wants it,
// and shared by all that do.
class Example {
public:
    explicit Example(const Evidence& evidence) : evidence_{evidence} {}

    std::shared_ptr<const Evidence> kept();

private:
    const Evidence& evidence_;
    std::shared_ptr<const Evidence> kept_;
};

// An entry with what is worked out of it once, for all groups that it counts in. Distinct things
// are known by hash_of() them.
struct Observation {
    const JournalEntry& entry;
    Example& example;
    Outlook outlook;
    SenderKind kind;
    std::uint64_t found; // what is mended alike, where something is in the way
    std::uint64_t client;
    std::uint64_t network;
    std::uint64_t sender_domain;
    std::span<const std::uint64_t> recipients;
};

void count(Answers& answers, Action action);
void count(Counts& counts, const Observation& observation);

// What stands in the way of the messages of a group.
class FaultTally {
public:
    void add(const Observation& observation);

    Fault fault() const; // after add()

    std::size_t octets() const { return octets_; } // that it holds, about

private:
    struct Finding {
        Reason reason;
        SenderKind kind;
        std::uint64_t found;
        std::uint64_t messages = 0;
        std::shared_ptr<const Evidence> example; // of the first message
        std::vector<Address> clients;            // the first few
        bool has_more_clients = false;
    };

    Finding* finding_of(const Observation& observation);

    std::array<std::uint64_t, all_reasons.size()> by_reason_{};
    std::vector<Finding> findings_;
    std::size_t octets_ = sizeof(FaultTally);
};

class GroupTally {
public:
    void add(const Observation& observation);

    Group group() const;

    std::uint64_t messages() const { return counts_.messages; }

    std::size_t octets() const; // that it holds beside itself, about

private:
    Counts counts_;
    Time first_{};
    Time last_{};
    Distinct clients_;
    Distinct recipients_;
    Distinct refused_recipients_;
    ByKind kinds_; // of all
    ByKind kinds_refused_;
    ByKind kinds_temporary_;
    std::unique_ptr<FaultTally> refused_; // null: there is none
    std::unique_ptr<FaultTally> temporary_;
};

} // namespace policy
