#include "policy/report.hpp"

#include "policy/ascii.hpp"
#include "policy/fault.hpp"
#include "policy/report_tally.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace policy {

namespace {

SendingDomain sender_domain_of(const Evidence& evidence) {
    if (evidence.mail_from.empty()) {
        return {true, domain_of_client(evidence)};
    }
    return {false, to_lower(evidence.mail_from_domain)};
}

// Things by the order in which they were first seen.
template <typename Map>
std::uint32_t number_of(Map& numbers, typename Map::key_type thing) {
    return numbers.try_emplace(std::move(thing), static_cast<std::uint32_t>(numbers.size()))
        .first->second;
}

// Greater is worse.
auto harm_of(const Group& group) {
    return std::tuple{group.counts.refused,
                      group.refused_recipients,
                      group.counts.falling_short,
                      group.counts.temporary,
                      group.counts.messages};
}

// The rows stand in the order of their names, and keep it where they do equal harm.
template <typename Row>
void sort_by_harm(std::vector<Row>& rows) {
    std::ranges::stable_sort(
        rows, std::ranges::greater{}, [](const Row& row) { return harm_of(row.group); });
}

template <typename Row>
std::uint64_t refused_in(const std::vector<Row>& rows) {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(rows, [](const Row& row) { return row.group.counts.refused > 0; }));
}

struct SendingDomainHash {
    std::size_t operator()(const SendingDomain& sender_domain) const {
        const std::size_t hash = std::hash<std::string>{}(sender_domain.domain);
        return sender_domain.is_null_path ? ~hash : hash;
    }
};

struct PrefixOrder {
    bool operator()(const Prefix& a, const Prefix& b) const {
        return std::tie(a.address.bytes(), a.length) < std::tie(b.address.bytes(), b.length);
    }
};

} // namespace

class ReportMaker::Tallies {
public:
    void add(const JournalEntry& entry, const Outlook& outlook);
    Report report() const;

private:
    // A group, and what it is seen with: a domain's networks, a network's domains.
    struct Tally {
        GroupTally group;
        Distinct peers;
    };

    struct ReasonTally {
        std::uint64_t exempt = 0;
        Answers foretold;
        Distinct sender_domains;
    };

    struct StageTally {
        Counts counts;
        Distinct sender_domains;
    };

    std::vector<std::uint32_t> recipients_of(const Evidence& evidence);
    void add_reason(const Observation& observation);
    void add_stage(const Observation& observation);
    void add_rows(Report& report) const;
    void add_stage_rows(Report& report) const;

    std::unordered_map<std::string, std::uint32_t> recipients_;
    std::map<Address::Bytes, std::uint32_t> clients_;
    std::map<Prefix, std::uint32_t, PrefixOrder> networks_;
    std::unordered_map<SendingDomain, std::uint32_t, SendingDomainHash> sender_domains_;

    GroupTally total_;
    std::vector<Tally> by_sender_domain_; // by number
    std::vector<Tally> by_network_;       // by number
    std::map<Reason, ReasonTally> by_reason_;
    std::map<std::string, StageTally> by_stage_;
    std::map<std::pair<std::string, std::string>, StageTally> by_stage_change_; // from, to
    std::map<std::chrono::sys_days, Counts> by_day_;
};

// Without case, as few receivers tell local parts apart by it.
std::vector<std::uint32_t> ReportMaker::Tallies::recipients_of(const Evidence& evidence) {
    std::vector<std::uint32_t> numbers;
    for (const auto& recipient : evidence.recipients) {
        numbers.push_back(number_of(recipients_, to_lower(recipient)));
    }
    return numbers;
}

void ReportMaker::Tallies::add_reason(const Observation& observation) {
    const Outlook& outlook = observation.outlook;
    if (!outlook.reason) {
        return;
    }
    ReasonTally& tally = by_reason_[*outlook.reason];
    if (outlook.prospect == Prospect::exempt) {
        ++tally.exempt;
        return;
    }
    count(tally.foretold, outlook.foretold.value());
    tally.sender_domains.insert(observation.sender_domain);
}

void ReportMaker::Tallies::add_stage(const Observation& observation) {
    const auto add_to = [&](StageTally& tally) {
        count(tally.counts, observation);
        tally.sender_domains.insert(observation.sender_domain);
    };
    const std::string& from = observation.entry.verdict.stage;
    const std::string& to = observation.outlook.stage;
    add_to(by_stage_[to]);
    if (from != to && observation.outlook.standing != Standing::unknown) {
        add_to(by_stage_change_[{from, to}]);
    }
}

void ReportMaker::Tallies::add(const JournalEntry& entry, const Outlook& outlook) {
    const Evidence& evidence = entry.evidence;
    const Address client = evidence.client.value_or(Address{});
    const auto recipients = recipients_of(evidence);
    const bool is_in_the_way = outlook.is_refused() || outlook.prospect == Prospect::temporary;
    const Observation observation{
        .entry = entry,
        .outlook = outlook,
        .kind = kind_of(evidence, entry.host),
        .found = is_in_the_way ? fault_found(evidence, outlook.reason.value()) : "",
        .client = number_of(clients_, client.bytes()),
        .network = number_of(networks_, network_of(client)),
        .sender_domain = number_of(sender_domains_, sender_domain_of(evidence)),
        .recipients = recipients};
    by_sender_domain_.resize(sender_domains_.size());
    by_network_.resize(networks_.size());
    total_.add(observation);
    Tally& of_domain = by_sender_domain_[observation.sender_domain];
    of_domain.group.add(observation);
    of_domain.peers.insert(observation.network);
    Tally& of_network = by_network_[observation.network];
    of_network.group.add(observation);
    of_network.peers.insert(observation.sender_domain);
    add_reason(observation);
    add_stage(observation);
    count(by_day_[std::chrono::floor<std::chrono::days>(entry.time)], observation);
}

void ReportMaker::Tallies::add_rows(Report& report) const {
    for (const auto& [sender_domain, number] : sender_domains_) {
        const Tally& tally = by_sender_domain_[number];
        report.sender_domains.push_back({sender_domain, tally.group.group(), tally.peers.size()});
    }
    std::ranges::sort(report.sender_domains, {}, [](const SenderDomainRow& row) {
        return std::tie(row.sender_domain.domain, row.sender_domain.is_null_path);
    });
    for (const auto& [network, number] : networks_) {
        const Tally& tally = by_network_[number];
        report.client_networks.push_back({network, tally.group.group(), tally.peers.size()});
    }
    for (const auto& [reason, tally] : by_reason_) {
        report.reasons.push_back(
            {reason, tally.exempt, tally.foretold, tally.sender_domains.size()});
    }
    for (const auto& [day, counts] : by_day_) {
        report.days.push_back({day, counts});
    }
}

void ReportMaker::Tallies::add_stage_rows(Report& report) const {
    for (const auto& [stage, tally] : by_stage_) {
        report.stages.push_back({stage, tally.counts, tally.sender_domains.size()});
    }
    std::ranges::stable_sort(report.stages, std::ranges::greater{}, [](const StageRow& row) {
        return row.counts.messages;
    });
    for (const auto& [stages, tally] : by_stage_change_) {
        report.stage_changes.push_back({stages.first,
                                        stages.second,
                                        tally.counts.messages,
                                        tally.counts.changed,
                                        tally.sender_domains.size()});
    }
    std::ranges::stable_sort(report.stage_changes, std::ranges::greater{}, &StageChange::messages);
}

Report ReportMaker::Tallies::report() const {
    Report report;
    report.total = total_.group();
    add_rows(report);
    add_stage_rows(report);
    std::ranges::stable_sort(report.reasons, [](const ReasonRow& a, const ReasonRow& b) {
        return a.foretold.total() + a.exempt > b.foretold.total() + b.exempt;
    });
    sort_by_harm(report.sender_domains);
    sort_by_harm(report.client_networks);
    report.refused_sender_domains = refused_in(report.sender_domains);
    report.refused_networks = refused_in(report.client_networks);
    return report;
}

ReportMaker::ReportMaker() : tallies_{std::make_unique<Tallies>()} {}

ReportMaker::~ReportMaker() = default;

void ReportMaker::add(const JournalEntry& entry) {
    tallies_->add(entry, outlook_if_enforced(entry.verdict));
}

void ReportMaker::add(const JournalEntry& entry, const std::optional<Verdict>& candidate) {
    tallies_->add(entry, outlook_of(candidate));
}

Report ReportMaker::report() const {
    return tallies_->report();
}

} // namespace policy
