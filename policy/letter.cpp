#include "policy/letter.hpp"

#include "policy/ascii.hpp"
#include "policy/decide.hpp"
#include "policy/fault.hpp"
#include "policy/hints.hpp"
#include "policy/replay.hpp"
#include "policy/report_tally.hpp"
#include "policy/requirements.hpp"
#include "policy/sender_kind.hpp"
#include "policy/stage_choice.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace policy {

namespace {

constexpr std::size_t most_letter_findings = 64;
constexpr std::size_t most_clients = 1'000; // that are told apart
constexpr std::size_t clients_told = 8;

bool is_below(std::string_view name, std::string_view domain) {
    return name == domain || (name.size() > domain.size() && name.ends_with(domain) &&
                              name[name.size() - domain.size() - 1] == '.');
}

// What is mended together: a reverse name is a host's own, and hosts are told apart by their HELO.
std::string finding_of(const Evidence& evidence, Reason reason) {
    const bool is_of_host =
        reason == Reason::reverse_name_missing || reason == Reason::reverse_name_mismatch;
    const std::string found = fault_found(evidence, reason);
    return is_of_host ? found + ' ' + to_lower(evidence.helo) : found;
}

void widen(Time& first, Time& last, Time time, bool is_only) {
    first = is_only ? time : std::min(first, time);
    last = is_only ? time : std::max(last, time);
}

} // namespace

std::string LetterFinding::found() const {
    return fault_found(example.evidence, reason);
}

std::vector<std::string> LetterFinding::remedy() const {
    return remedy_for_sender(example.evidence, reason, clients);
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

void LetterMaker::add_fault(const JournalEntry& entry, Reason reason, const std::string& stage) {
    const std::pair key{reason, finding_of(entry.evidence, reason)};
    const bool is_new = !tallies_.contains(key);
    if (is_new && tallies_.size() == most_letter_findings) {
        return;
    }
    Tally& tally = tallies_[key];
    LetterFinding& finding = tally.finding;
    if (is_new) {
        finding.reason = reason;
        finding.stage = stage;
        finding.example = entry;
    }
    widen(finding.first, finding.last, entry.time, is_new);
    ++finding.messages;
    const Address client = entry.evidence.client.value_or(Address{});
    if (tally.clients.size() < most_clients && tally.clients.insert(client.to_string()).second) {
        ++finding.all_clients;
        if (finding.clients.size() < clients_told) {
            finding.clients.push_back(client);
        }
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
    widen(facts_.first, facts_.last, entry.time, facts_.short_ones == 0);
    ++facts_.short_ones;
    facts_.refused += entry.reply ? 1U : 0U;
    const auto& required = stage_named(policy_, verdict->stage).requirements;
    for (const Reason reason : faults_of(entry.evidence, required)) {
        if (!is_temperror(reason)) {
            add_fault(entry, reason, verdict->stage);
        }
    }
}

LetterFacts LetterMaker::facts() const {
    LetterFacts facts = facts_;
    for (const auto& [key, tally] : tallies_) {
        facts.findings.push_back(tally.finding);
    }
    std::ranges::stable_sort(facts.findings, std::ranges::greater{}, &LetterFinding::messages);
    return facts;
}

std::optional<Time> refused_from(const LetterFacts& facts, const Policy& policy, Time now) {
    std::vector<Time> moments{now};
    for (const Stage& stage : policy.stages) {
        if (stage.selector.from > now) {
            moments.push_back(*stage.selector.from);
        }
    }
    std::ranges::sort(moments);
    const auto is_refused_at = [&](Time moment) {
        return std::ranges::any_of(facts.findings, [&](const LetterFinding& finding) {
            JournalEntry entry = finding.example;
            entry.evidence.time = moment;
            const auto verdict = replayed(entry, policy);
            return verdict && verdict->action != Action::accept;
        });
    };
    const auto found = std::ranges::find_if(moments, is_refused_at);
    return found == moments.end() ? std::nullopt : std::optional{*found};
}

} // namespace policy
