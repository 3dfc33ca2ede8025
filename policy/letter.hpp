// What a letter to the postmaster of a domain tells of its mail: what falls short of what is asked
// here, where it came from, and what mends it. Pure; nothing is judged here.
#pragma once

#include "policy/journal.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace policy {

// Messages with the same fault, found alike, of hosts that are mended alike.
struct LetterFinding {
    Reason reason = Reason::closed;
    std::uint64_t messages = 0;
    Time first{};
    Time last{};
    std::vector<Address> clients; // the first few of those that sent them; at first the example's
    std::uint64_t all_clients = 0;
    bool is_of_domain = false; // is_host_of_sender(): else anybody may have sent them
    std::string stage;         // under which the example would be refused
    Requirements requirements; // of that stage
    JournalEntry example;      // the first of them; its grace is the host's that is refused first

    std::string found() const;               // fault_found()
    std::vector<std::string> remedy() const; // remedy_for_sender(), and for the other addresses
    std::vector<std::string> hints() const;  // hints_of()
};

struct LetterFacts {
    std::uint64_t own = 0;        // of hosts that seem to be ours, and in no other number
    std::uint64_t messages = 0;   // judged, of the domain
    std::uint64_t short_ones = 0; // that fall short, for another reason than a temporary error
    std::uint64_t refused = 0;    // of these, already refused
    Time first{};                 // of those that fall short
    Time last{};
    // Those of the domain's own hosts first, then most messages; none: there is nothing to write.
    std::vector<LetterFinding> findings;
    std::uint64_t untold = 0; // faults of messages for which there was no room among them
};

// Whether the entry is mail of `domain` or of a name below it: by MAIL FROM, or for the null path
// by the client's reverse name or HELO. `domain` is in lower case.
bool is_mail_of(const JournalEntry& entry, std::string_view domain);

// Takes the entries of one domain, in any order. Counts what `policy` would refuse, were it
// enforced; a message with two faults is in both findings. Strangers who use the domain's name can
// make findings without end: few are kept, half of them for the domain's own hosts.
class LetterMaker {
public:
    explicit LetterMaker(const Policy& policy) : policy_{policy} {} // which outlives it

    void add(const JournalEntry& entry);

    LetterFacts facts() const;

private:
    struct LastGrace {
        Time time{}; // of the entry
        std::optional<GraceEvidence> grace{};
    };

    struct Tally {
        LetterFinding finding;
        std::map<std::string, LastGrace> graces; // by client
    };

    void add_fault(const JournalEntry& entry, Reason reason, const Stage& stage);
    bool has_room(bool is_of_domain) const;

    const Policy& policy_;
    LetterFacts facts_;
    std::map<std::pair<Reason, std::string>, Tally> tallies_; // by what was found
};

// The first moment, `now` or after it, from which `policy` treats one of the examples worse than
// now: puts it off where it passes, or refuses it where it is put off, as stages begin and end and
// grace is used up. Empty where it never does.
std::optional<Time> worse_from(const LetterFacts& facts, const Policy& policy, Time now);

} // namespace policy
