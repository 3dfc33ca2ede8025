// The report: what the journal's entries add up to, for a postmaster who wants to know what a
// stricter mode, or another configuration, would refuse. Nothing is judged here: every number rests
// on a verdict of the journal, or on one that decide() gave when the entry was replayed.
#pragma once

#include "policy/fallback_report.hpp"
#include "policy/journal.hpp"
#include "policy/sender_kind.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace policy {

// Messages by what they are, or would be, answered.
struct Answers {
    std::uint64_t accepted = 0;
    std::uint64_t tempfailed = 0; // 4yz
    std::uint64_t rejected = 0;   // 5yz

    std::uint64_t total() const { return accepted + tempfailed + rejected; }

    friend bool operator==(const Answers&, const Answers&) = default;
};

// Messages, each as often as it was judged: a retry counts again, and so does every recipient that
// is refused by itself.
struct Counts {
    // Each message is one of these.
    std::uint64_t messages = 0;      // all of the following
    std::uint64_t passing = 0;       // nothing falls short
    std::uint64_t falling_short = 0; // for another reason than a temporary error
    std::uint64_t temporary = 0;     // only a temporary error stands between
    std::uint64_t exempt = 0;        // falls short and is spared by an exemption, or is not judged
    std::uint64_t unknown = 0;       // too little is known of it: it was refused unchecked

    std::uint64_t refused = 0; // of those that fall short, what is foretold to be refused: the harm

    Answers answered; // so far
    Answers foretold; // but for those that are unknown
    Answers changed;  // of foretold, those to which something else was answered

    friend bool operator==(const Counts&, const Counts&) = default;
};

// What stands most often in the way of a sender: the most frequent reason, and of those with that
// reason the most frequent finding in messages of one kind. It is mended as that kind is: what a
// host of our own needs must not be told of a stranger that fails likewise.
struct Fault {
    Reason reason = Reason::closed;
    std::uint64_t messages = 0; // with this reason
    SenderKind kind = SenderKind::direct;
    std::string in_short;            // fault_in_short()
    std::string found;               // fault_found()
    std::vector<std::string> remedy; // remedy_for()
    std::vector<std::string> hints;  // hints_of()

    friend bool operator==(const Fault&, const Fault&) = default;
};

// What is told of a group of messages. Fault and kind are those of the messages that are refused;
// where there are none, of those with a temporary error; the kind, where there are none either, of
// all.
struct Group {
    Counts counts;
    Time first{}; // of all messages
    Time last{};
    std::uint64_t clients = 0;            // distinct addresses
    std::uint64_t recipients = 0;         // distinct
    std::uint64_t refused_recipients = 0; // distinct, of what is refused
    ByKind refused_kinds;                 // messages, of what is refused
    SenderKind kind = SenderKind::direct; // the most frequent one
    std::optional<Fault> fault;           // empty: nothing is in the way

    friend bool operator==(const Group&, const Group&) = default;
};

// The domain of MAIL FROM; for the null path domain_of_client().
struct SendingDomain {
    bool is_null_path = false;
    std::string domain; // in lower case, as the client supplied it

    friend bool operator==(const SendingDomain&, const SendingDomain&) = default;
};

struct SenderDomainRow {
    SendingDomain sender_domain;
    Group group;
    std::uint64_t networks = 0; // distinct
};

struct NetworkRow {
    Prefix network; // network_of()
    Group group;
    std::uint64_t sender_domains = 0; // distinct
};

struct ReasonRow {
    Reason reason = Reason::closed;
    std::uint64_t exempt = 0;         // spared by an exemption
    Answers foretold;                 // of all others
    std::uint64_t sender_domains = 0; // distinct, of all others
};

// By the stage that applied, and by the candidate's where there is one. No name: the candidate
// exempts the client, or it is unknown which of its stages applies. Each message is in one row.
struct StageRow {
    std::string stage;
    Counts counts;
    std::uint64_t sender_domains = 0; // distinct
};

// Messages that are under another stage of the candidate than they were.
struct StageChange {
    std::string from;
    std::string to; // empty: the candidate exempts the client
    std::uint64_t messages = 0;
    Answers changed;                  // of these, those to which something else was answered
    std::uint64_t sender_domains = 0; // distinct
};

struct DayRow {
    std::chrono::sys_days day;
    Counts counts;
};

struct Report {
    Group total;
    // Distinct. There may be fewer rows, see ReportMaker.
    std::uint64_t all_sender_domains = 0;
    std::uint64_t all_networks = 0;
    std::uint64_t refused_sender_domains = 0; // that have something refused
    std::uint64_t refused_networks = 0;
    std::vector<ReasonRow> reasons;         // that occur, most messages first
    std::vector<StageRow> stages;           // likewise, then by name
    std::vector<StageChange> stage_changes; // likewise; of a report without candidate: none
    // In order of harm: messages refused, their distinct recipients, messages that fall short,
    // temporary errors, messages; then by name.
    std::vector<SenderDomainRow> sender_domains;
    std::vector<NetworkRow> client_networks;
    std::vector<DayRow> days;               // in UTC, with at least a message, the oldest first
    std::optional<FallbackReport> fallback; // not ReportMaker's; empty: nothing is watched for
    std::uint64_t unreadable = 0;           // likewise: entries that are in no number
};

// Takes the entries one by one, in any order, and keeps what the report needs of them: numbers of
// distinct things, and a tally for each sender domain, /64 and day.
//
// Strangers can vary all of that without end. Where the tallies of sender domains and networks need
// more than `most_octets` those with the least mail are dropped: they count in all sums, and have
// no row, or one that lacks what came before. Some 30,000 of each have room.
class ReportMaker {
public:
    static constexpr std::size_t usual_octets = std::size_t{96} << 20U;

    explicit ReportMaker(std::size_t most_octets = usual_octets);
    ReportMaker(const ReportMaker&) = delete;
    ReportMaker& operator=(const ReportMaker&) = delete;
    ~ReportMaker();

    // Foretells what the mode enforce would answer, by the entry's own verdict; of what a closed
    // stage refused, nothing.
    void add(const JournalEntry& entry);

    // Foretells what the candidate answers: `candidate` is replayed() of the entry.
    void add(const JournalEntry& entry, const std::optional<Verdict>& candidate);

    Report report() const;

private:
    class Tallies;
    std::unique_ptr<Tallies> tallies_;
};

} // namespace policy
