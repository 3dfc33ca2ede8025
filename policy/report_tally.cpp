#include "policy/report_tally.hpp"

#include "policy/fault.hpp"

#include <algorithm>
#include <cstddef>

namespace policy {

namespace {

// Of one group: strangers choose what is found, and every message could show something new. What
// is found beyond counts for its reason alone.
constexpr std::size_t most_findings = 32;

constexpr std::size_t most_clients_told = 3;

Action answer_of(const JournalEntry& entry) {
    if (!entry.reply) {
        return Action::accept;
    }
    return entry.reply->is_permanent() ? Action::reject : Action::tempfail;
}

void count(Counts& counts, Prospect prospect) {
    switch (prospect) {
    case Prospect::passing: ++counts.passing; break;
    case Prospect::falling_short: ++counts.falling_short; break;
    case Prospect::temporary: ++counts.temporary; break;
    case Prospect::exempt: ++counts.exempt; break;
    case Prospect::unknown: ++counts.unknown; break;
    }
}

Prospect prospect_of(const Verdict& verdict) {
    if (verdict.mode == Mode::off || (verdict.exemption && verdict.reason)) {
        return Prospect::exempt;
    }
    if (!verdict.reason) {
        return Prospect::passing;
    }
    return is_temperror(*verdict.reason) ? Prospect::temporary : Prospect::falling_short;
}

} // namespace

Outlook outlook_if_enforced(const Verdict& verdict) {
    if (verdict.reason == Reason::closed) {
        return {}; // nothing was checked
    }
    const Prospect prospect = prospect_of(verdict);
    return {prospect,
            verdict.reason,
            prospect == Prospect::exempt ? Action::accept : verdict.would_enforce,
            verdict.stage};
}

Outlook outlook_of(const std::optional<Verdict>& candidate) {
    if (!candidate) {
        return {};
    }
    return {prospect_of(*candidate), candidate->reason, candidate->action, candidate->stage};
}

void count(Answers& answers, Action action) {
    switch (action) {
    case Action::accept: ++answers.accepted; break;
    case Action::tempfail: ++answers.tempfailed; break;
    case Action::reject: ++answers.rejected; break;
    }
}

void count(Counts& counts, const Observation& observation) {
    const Outlook& outlook = observation.outlook;
    const Action answered = answer_of(observation.entry);
    ++counts.messages;
    count(counts, outlook.prospect);
    counts.refused += outlook.is_refused() ? 1U : 0U;
    count(counts.answered, answered);
    if (outlook.foretold) {
        count(counts.foretold, *outlook.foretold);
        if (*outlook.foretold != answered) {
            count(counts.changed, *outlook.foretold);
        }
    }
}

void FaultTally::add(const Observation& observation) {
    const Reason reason = observation.outlook.reason.value();
    ++by_reason_[static_cast<std::size_t>(reason)];
    std::tuple key{reason, observation.kind, observation.found};
    auto found = findings_.find(key);
    if (found == findings_.end()) {
        if (findings_.size() == most_findings) {
            return;
        }
        found = findings_.emplace(std::move(key), Finding{}).first;
        found->second.example = observation.entry.evidence;
    }
    Finding& finding = found->second;
    ++finding.messages;
    const auto& client = observation.entry.evidence.client;
    if (client && std::ranges::find(finding.clients, *client) == finding.clients.end()) {
        if (finding.clients.size() < most_clients_told) {
            finding.clients.push_back(*client);
        } else {
            finding.has_more_clients = true;
        }
    }
}

std::optional<Fault> FaultTally::fault() const {
    const auto* const most_messages = std::ranges::max_element(by_reason_);
    if (*most_messages == 0) {
        return std::nullopt;
    }
    const Reason reason = all_reasons[static_cast<std::size_t>(most_messages - by_reason_.begin())];
    Fault fault;
    fault.reason = reason;
    fault.messages = *most_messages;
    const Finding* most = nullptr;
    for (const auto& [key, finding] : findings_) {
        const auto& [its_reason, kind, found] = key;
        if (its_reason == reason && (most == nullptr || finding.messages > most->messages)) {
            most = &finding;
            fault.kind = kind;
            fault.found = found;
        }
    }
    if (most != nullptr) { // not where other reasons have taken all the room
        fault.in_short = fault_in_short(most->example, reason);
        fault.remedy = remedy_for(most->example, reason, fault.kind, most->clients);
        if (most->has_more_clients) {
            fault.remedy.emplace_back("Likewise for the other addresses that it sends from.");
        }
    }
    return fault;
}

void GroupTally::add(const Observation& observation) {
    const Time time = observation.entry.time;
    first_ = counts_.messages == 0 ? time : std::min(first_, time);
    last_ = counts_.messages == 0 ? time : std::max(last_, time);
    count(counts_, observation);
    clients_.insert(observation.client);
    recipients_.insert(observation.recipients.begin(), observation.recipients.end());
    ++kinds_[observation.kind];
    if (observation.outlook.is_refused()) {
        refused_recipients_.insert(observation.recipients.begin(), observation.recipients.end());
        ++kinds_refused_[observation.kind];
        refused_.add(observation);
    } else if (observation.outlook.prospect == Prospect::temporary) {
        ++kinds_temporary_[observation.kind];
        temporary_.add(observation);
    }
}

Group GroupTally::group() const {
    Group group;
    group.counts = counts_;
    group.first = first_;
    group.last = last_;
    group.clients = clients_.size();
    group.recipients = recipients_.size();
    group.refused_recipients = refused_recipients_.size();
    group.refused_kinds = kinds_refused_;
    for (const ByKind* kinds : {&kinds_refused_, &kinds_temporary_, &kinds_}) {
        if (const auto kind = kinds->most_frequent()) {
            group.kind = *kind;
            break;
        }
    }
    group.fault = refused_.fault();
    if (!group.fault) {
        group.fault = temporary_.fault();
    }
    return group;
}

} // namespace policy
