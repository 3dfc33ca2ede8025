// What a report counts of one group of messages while it takes them.
#pragma once

#include "policy/report.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <unordered_set>
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

// An entry with what is worked out of it once, for all groups that it counts in. Distinct things
// have numbers.
struct Observation {
    const JournalEntry& entry;
    Outlook outlook;
    SenderKind kind;
    std::string found; // where something is in the way
    std::uint32_t client;
    std::uint32_t network;
    std::uint32_t sender_domain;
    std::span<const std::uint32_t> recipients;
};

void count(Answers& answers, Action action);
void count(Counts& counts, const Observation& observation);

using Distinct = std::unordered_set<std::uint32_t>;

// What stands in the way of the messages of a group.
class FaultTally {
public:
    void add(const Observation& observation);

    std::optional<Fault> fault() const;

private:
    struct Finding {
        std::uint64_t messages = 0;
        Evidence example;             // of the first message
        std::vector<Address> clients; // the first few
        bool has_more_clients = false;
    };

    std::array<std::uint64_t, all_reasons.size()> by_reason_{};
    std::map<std::tuple<Reason, SenderKind, std::string>, Finding> findings_;
};

class GroupTally {
public:
    void add(const Observation& observation);

    Group group() const;

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
    FaultTally refused_;
    FaultTally temporary_;
};

} // namespace policy
