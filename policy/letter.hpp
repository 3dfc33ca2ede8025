// What a letter to the postmaster of a domain tells of its mail: what falls short of what is asked
// here, where it came from, and what mends it. Pure; nothing is judged here.
#pragma once

#include "policy/journal.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace policy {

// Messages with the same fault, found alike.
struct LetterFinding {
    Reason reason = Reason::closed;
    std::uint64_t messages = 0;
    Time first{};
    Time last{};
    std::vector<Address> clients; // the first few, of those that sent them
    std::uint64_t all_clients = 0;
    std::string stage;    // under which the first of them would be refused
    JournalEntry example; // the first of them

    std::string found() const;               // fault_found()
    std::vector<std::string> remedy() const; // remedy_for_sender()
    std::vector<std::string> hints() const;  // hints_of()
};

struct LetterFacts {
    std::uint64_t own = 0;        // of hosts that seem to be ours, and in no other number
    std::uint64_t messages = 0;   // judged, of the domain
    std::uint64_t short_ones = 0; // that fall short, for another reason than a temporary error
    std::uint64_t refused = 0;    // of these, already refused
    Time first{};                 // of those that fall short
    Time last{};
    std::vector<LetterFinding> findings; // most messages first; none: there is nothing to write
};

// Whether the entry is mail of `domain` or of a name below it: by MAIL FROM, or for the null path
// by the client's reverse name or HELO. `domain` is in lower case.
bool is_mail_of(const JournalEntry& entry, std::string_view domain);

// Takes the entries of one domain, in any order. Counts what `policy` would refuse, were it
// enforced; a message with two faults is in both findings. Few kinds of findings are kept: whoever
// makes more has not one fault to mend.
class LetterMaker {
public:
    explicit LetterMaker(const Policy& policy) : policy_{policy} {} // which outlives it

    void add(const JournalEntry& entry);

    LetterFacts facts() const;

private:
    struct Tally {
        LetterFinding finding;
        std::set<std::string> clients;
    };

    void add_fault(const JournalEntry& entry, Reason reason, const std::string& stage);

    const Policy& policy_;
    LetterFacts facts_;
    std::map<std::pair<Reason, std::string>, Tally> tallies_; // by what was found
};

// The first moment from `now` on when `policy` refuses one of the examples, as its stages begin;
// empty where it never does.
std::optional<Time> refused_from(const LetterFacts& facts, const Policy& policy, Time now);

} // namespace policy
