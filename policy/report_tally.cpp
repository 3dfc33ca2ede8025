#include "policy/report_tally.hpp"

#include "policy/evidence_octets.hpp"
#include "policy/fault.hpp"
#include "policy/hints.hpp"
#include "policy/remedy.hpp"

#include <algorithm>
#include <utility>

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
        return {Prospect::unknown, std::nullopt, std::nullopt, verdict.stage}; // never checked
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

std::shared_ptr<const Evidence> Example::kept() {
    if (!kept_) {
        Evidence copy = evidence_;
        copy.recipients = {}; // which may be thousands, and mend nothing
        kept_ = std::make_shared<const Evidence>(std::move(copy));
    }
    return kept_;
}

// Null where there is no room for another one.
FaultTally::Finding* FaultTally::finding_of(const Observation& observation) {
    const Reason reason = observation.outlook.reason.value();
    const auto is_same = [&](const Finding& finding) {
        return finding.reason == reason && finding.kind == observation.kind &&
               finding.found == observation.found;
    };
    const auto found = std::ranges::find_if(findings_, is_same);
    if (found != findings_.end()) {
        return &*found;
    }
    if (findings_.size() == most_findings) {
        return nullptr;
    }
    findings_.push_back(
        {reason, observation.kind, observation.found, 0, observation.example.kept(), {}, false});
    // Most examples are shared by a domain and a network.
    octets_ += sizeof(Finding) + octets_of(*findings_.back().example) / 2;
    return &findings_.back();
}

void FaultTally::add(const Observation& observation) {
    ++by_reason_[static_cast<std::size_t>(observation.outlook.reason.value())];
    Finding* const finding = finding_of(observation);
    if (finding == nullptr) {
        return;
    }
    ++finding->messages;
    const auto& client = observation.entry.evidence.client;
    if (client && std::ranges::find(finding->clients, *client) == finding->clients.end()) {
        if (finding->clients.size() < most_clients_told) {
            finding->clients.push_back(*client);
            octets_ += sizeof(Address);
        } else {
            finding->has_more_clients = true;
        }
    }
}

Fault FaultTally::fault() const {
    const auto* const most_messages = std::ranges::max_element(by_reason_);
    Fault fault;
    fault.reason = all_reasons[static_cast<std::size_t>(most_messages - by_reason_.begin())];
    fault.messages = *most_messages;
    const Finding* most = nullptr;
    for (const auto& finding : findings_) {
        if (finding.reason == fault.reason &&
            (most == nullptr || finding.messages > most->messages)) {
            most = &finding;
        }
    }
    if (most != nullptr) { // not where other reasons have taken all the room
        fault.kind = most->kind;
        fault.in_short = fault_in_short(*most->example, fault.reason);
        fault.found = fault_found(*most->example, fault.reason);
        fault.remedy = remedy_for(*most->example, fault.reason, fault.kind, most->clients);
        fault.hints = hints_of(*most->example);
        if (most->has_more_clients) {
            fault.remedy.emplace_back("Likewise for the other addresses that it sends from.");
        }
    }
    return fault;
}

void GroupTally::add(const Observation& observation) {
    const auto insert_recipients = [&](Distinct& recipients) {
        for (const std::uint64_t recipient : observation.recipients) {
            recipients.insert(recipient);
        }
    };
    const auto add_fault = [&](std::unique_ptr<FaultTally>& tally) {
        if (!tally) {
            tally = std::make_unique<FaultTally>();
        }
        tally->add(observation);
    };
    const Time time = observation.entry.time;
    first_ = counts_.messages == 0 ? time : std::min(first_, time);
    last_ = counts_.messages == 0 ? time : std::max(last_, time);
    count(counts_, observation);
    clients_.insert(observation.client);
    insert_recipients(recipients_);
    ++kinds_[observation.kind];
    if (observation.outlook.is_refused()) {
        insert_recipients(refused_recipients_);
        ++kinds_refused_[observation.kind];
        add_fault(refused_);
    } else if (observation.outlook.prospect == Prospect::temporary) {
        ++kinds_temporary_[observation.kind];
        add_fault(temporary_);
    }
}

std::size_t GroupTally::octets() const {
    std::size_t octets = clients_.octets() + recipients_.octets() + refused_recipients_.octets();
    for (const auto* const tally : {refused_.get(), temporary_.get()}) {
        octets += tally == nullptr ? 0 : tally->octets();
    }
    return octets;
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
    if (const auto* const tally = refused_ ? refused_.get() : temporary_.get()) {
        group.fault = tally->fault();
    }
    return group;
}

} // namespace policy
