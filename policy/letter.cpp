#include "policy/letter.hpp"

#include "policy/ascii.hpp"
#include "policy/decide.hpp"
#include "policy/fault.hpp"
#include "policy/grace.hpp"
#include "policy/hints.hpp"
#include "policy/remedy.hpp"
#include "policy/replay.hpp"
#include "policy/report_tally.hpp"
#include "policy/requirements.hpp"
#include "policy/sender_kind.hpp"
#include "policy/stage_choice.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <string_view>
#include <utility>

namespace policy {

namespace {

constexpr std::size_t most_findings_each = 32; // of the domain's own hosts, and of all others
constexpr std::size_t most_clients = 1'000;    // that are told apart
constexpr std::size_t clients_told = 8;

bool is_below(std::string_view name, std::string_view domain) {
    return name == domain || (name.size() > domain.size() && name.ends_with(domain) &&
                              name[name.size() - domain.size() - 1] == '.');
}

// What is mended together. A reverse name is a host's own, and hosts are told apart by their HELO.
// Hosts of the domain stand in one record of SPF; all others are told apart by whose they are.
std::string finding_of(const Evidence& evidence, Reason reason) {
    const bool is_of_host =
        reason == Reason::reverse_name_missing || reason == Reason::reverse_name_mismatch;
    std::string found = fault_found(evidence, reason) + ' ';
    found += to_string(kind_of(evidence, ""));
    if (is_of_host) {
        found += ' ' + to_lower(evidence.helo);
    }
    if (is_host_of_sender(evidence)) {
        return found + ", of the domain";
    }
    const auto name = confirmed_name(evidence);
    return name.empty() ? found : found + ", of " + domain_of_host(name);
}

void widen(Time& first, Time& last, Time time, bool is_only) {
    first = is_only ? time : std::min(first, time);
    last = is_only ? time : std::max(last, time);
}

// --- From when on ------------------------------------------------------------------------------

Action answer_at(Time moment, JournalEntry entry, const Policy& policy) {
    entry.evidence.time = moment;
    const auto verdict = replayed(entry, policy);
    return verdict ? verdict->action : Action::accept;
}

// Whose grace begins at `begin`, or has begun, and who will have used up the tries when its time is
// over: from then on nothing is put off.
JournalEntry with_grace_from(Time begin, JournalEntry entry) {
    auto& grace = entry.evidence.grace;
    if (!grace) {
        grace = GraceEvidence{begin, 0, begin};
    }
    grace->refusals = std::numeric_limits<std::uint64_t>::max();
    return entry;
}

// When something may change, at `now` or later: stages begin and end, and grace runs out that began
// with one of them, or has begun.
std::vector<Time> turns_from(Time now, const JournalEntry& entry, const Policy& policy) {
    std::vector<Time> turns = bounds_of_stages(policy);
    turns.push_back(now); // by then the time may be over that is left, and not the tries
    const auto& known = entry.evidence.grace;
    const auto begins = known ? std::vector{known->first} : turns;
    for (const Stage& stage : policy.stages) {
        for (const Time begin : begins) {
            if (stage.grace) {
                turns.push_back(date_of(begin + stage.grace->period));
            }
        }
    }
    if (known) {
        turns.push_back(date_of(known->refused_from));
    }
    std::erase_if(turns, [&](Time turn) { return turn < now; });
    std::ranges::sort(turns);
    return turns;
}

std::optional<Time> turn_for_worse(const JournalEntry& example, const Policy& policy, Time now) {
    const Action today = answer_at(now, example, policy);
    const auto entry = today == Action::tempfail ? with_grace_from(now, example) : example;
    const auto turns = turns_from(now, example, policy);
    const auto found = std::ranges::find_if(
        turns, [&](Time turn) { return answer_at(turn, entry, policy) > today; });
    return found == turns.end() ? std::nullopt : std::optional{*found};
}

} // namespace

std::string LetterFinding::found() const {
    return fault_found(example.evidence, reason);
}

std::vector<std::string> LetterFinding::remedy() const {
    auto lines = remedy_for_sender(example.evidence, reason, requirements, clients);
    if (!lines.empty() && all_clients > clients.size()) {
        lines.push_back("Likewise for " + std::to_string(all_clients - clients.size()) +
                        " more that are not named here.");
    }
    return lines;
}

std::vector<std::string> LetterFinding::hints() const {
    return hints_of(example.evidence);
}

bool is_mail_of(const JournalEntry& entry, std::string_view domain) {
    const Evidence& evidence = entry.evidence;
    return is_below(evidence.mail_from.empty() ? domain_of_client(evidence)
                                               : to_lower(evidence.mail_from_domain),
                    domain);
}

bool LetterMaker::has_room(bool is_of_domain) const {
    const auto is_alike = [&](const auto& each) {
        return each.second.finding.is_of_domain == is_of_domain;
    };
    return std::ranges::count_if(tallies_, is_alike) < std::ptrdiff_t{most_findings_each};
}

void LetterMaker::add_fault(const JournalEntry& entry, Reason reason, const Stage& stage) {
    const std::pair key{reason, finding_of(entry.evidence, reason)};
    const bool is_new = !tallies_.contains(key);
    const bool is_of_domain = is_host_of_sender(entry.evidence);
    if (is_new && !has_room(is_of_domain)) {
        ++facts_.untold;
        return;
    }
    Tally& tally = tallies_[key];
    LetterFinding& finding = tally.finding;
    if (is_new) {
        finding.reason = reason;
        finding.is_of_domain = is_of_domain;
        finding.stage = stage.name;
        finding.requirements = stage.requirements;
        finding.example = entry;
    }
    widen(finding.first, finding.last, entry.time, is_new);
    ++finding.messages;
    const Address client = entry.evidence.client.value_or(Address{});
    const std::string host = client.to_string();
    const bool is_new_host = !tally.graces.contains(host);
    if (is_new_host && tally.graces.size() == most_clients) {
        return;
    }
    if (is_new_host) {
        ++finding.all_clients;
        if (finding.clients.size() < clients_told) {
            finding.clients.push_back(client);
        }
    }
    LastGrace& last = tally.graces[host];
    if (entry.evidence.grace && (!last.grace || entry.time >= last.time)) {
        last = {entry.time, entry.evidence.grace};
    }
}

void LetterMaker::add(const JournalEntry& entry) {
    if (kind_of(entry.evidence, entry.host) == SenderKind::own_range) {
        ++facts_.own;
        return;
    }
    ++facts_.messages;
    const auto verdict = replayed(entry, policy_);
    if (!verdict || !outlook_if_enforced(*verdict).is_refused()) {
        return;
    }
    const Stage& stage = stage_named(policy_, verdict->stage);
    JournalEntry counted = entry;
    counted.evidence = as_counted(entry.evidence, stage);
    widen(facts_.first, facts_.last, entry.time, facts_.short_ones == 0);
    ++facts_.short_ones;
    facts_.refused += entry.reply ? 1U : 0U;
    for (const Reason reason : faults_of(counted.evidence, stage.requirements)) {
        if (!is_temperror(reason)) {
            add_fault(counted, reason, stage);
        }
    }
}

LetterFacts LetterMaker::facts() const {
    LetterFacts facts = facts_;
    for (const auto& [key, tally] : tallies_) {
        LetterFinding finding = tally.finding;
        auto& earliest = finding.example.evidence.grace;
        earliest.reset();
        for (const auto& [host, last] : tally.graces) {
            if (last.grace && (!earliest || last.grace->refused_from < earliest->refused_from)) {
                earliest = last.grace;
            }
        }
        facts.findings.push_back(std::move(finding));
    }
    std::ranges::stable_sort(facts.findings, std::ranges::greater{}, [](const auto& finding) {
        return std::pair{finding.is_of_domain, finding.messages};
    });
    return facts;
}

std::optional<Time> worse_from(const LetterFacts& facts, const Policy& policy, Time now) {
    std::optional<Time> first;
    for (const LetterFinding& finding : facts.findings) {
        const auto worse = turn_for_worse(finding.example, policy, now);
        first = worse && (!first || *worse < *first) ? worse : first;
    }
    return first;
}

} // namespace policy
