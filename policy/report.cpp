#include "policy/report.hpp"

#include "policy/ascii.hpp"
#include "policy/distinct.hpp"
#include "policy/fault.hpp"
#include "policy/remedy.hpp"
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

using policy::hash_of;

std::uint64_t hash_of(const SendingDomain& sender_domain) {
    const std::uint64_t hash = hash_of(sender_domain.domain);
    return sender_domain.is_null_path ? ~hash : hash;
}

// Without case, as few receivers tell local parts apart by it.
std::vector<std::uint64_t> hashes_of_recipients(const Evidence& evidence) {
    std::vector<std::uint64_t> hashes;
    for (const auto& recipient : evidence.recipients) {
        hashes.push_back(hash_of(to_lower(recipient)));
    }
    return hashes;
}

// What is mended alike: not by the sender's hosts and by those that may forge it.
std::string found_in(const Evidence& evidence, Reason reason) {
    return fault_found(evidence, reason) + (is_host_of_sender(evidence) ? "" : ", of a stranger");
}

struct SendingDomainHash {
    std::size_t operator()(const SendingDomain& sender_domain) const {
        return static_cast<std::size_t>(hash_of(sender_domain));
    }
};

struct PrefixOrder {
    bool operator()(const Prefix& a, const Prefix& b) const {
        return std::tie(a.address.bytes(), a.length) < std::tie(b.address.bytes(), b.length);
    }
};

// A group, and what it is seen with: a domain's networks, a network's domains.
struct Tally {
    GroupTally group;
    Distinct peers;

    std::size_t octets() const { return group.octets() + peers.octets(); }
};

std::size_t octets_of(const SendingDomain& sender_domain) {
    return sizeof(SendingDomain) + sender_domain.domain.size();
}

std::size_t octets_of(const Prefix&) {
    return sizeof(Prefix);
}

// A tally for each of what strangers vary.
template <typename Name, typename Map>
class Tallied {
public:
    void
    add(const Name& name, std::uint64_t hash, const Observation& observation, std::uint64_t peer) {
        const auto [found, is_new] = tallies_.try_emplace(name);
        Tally& tally = found->second;
        octets_ += is_new ? octets_of(name) + sizeof(Tally) : 0;
        octets_ -= tally.octets();
        tally.group.add(observation);
        tally.peers.insert(peer);
        octets_ += tally.octets();
        all_.insert(hash);
        if (observation.outlook.is_refused()) {
            refused_.insert(hash);
        }
    }

    // Those with the least mail go, so that half of them are left.
    void drop_half();

    const Map& tallies() const { return tallies_; }

    const Distinct& all() const { return all_; }

    const Distinct& refused() const { return refused_; }

    std::size_t octets() const { return octets_; }

private:
    Map tallies_;
    Distinct all_;     // also those that are dropped
    Distinct refused_; // that have something refused
    std::size_t octets_ = 0;
};

template <typename Name, typename Map>
void Tallied<Name, Map>::drop_half() {
    std::vector<std::uint64_t> messages;
    for (const auto& [name, tally] : tallies_) {
        messages.push_back(tally.group.messages());
    }
    const auto middle = messages.begin() + static_cast<std::ptrdiff_t>(messages.size() / 2);
    std::ranges::nth_element(messages, middle);
    const auto is_less = [&](std::uint64_t number) { return number < *middle; };
    auto equals_to_drop = (middle - messages.begin()) - std::ranges::count_if(messages, is_less);
    std::erase_if(tallies_, [&](const auto& each) {
        const auto& [name, tally] = each;
        const std::uint64_t number = tally.group.messages();
        const bool is_dropped = number < *middle || (number == *middle && equals_to_drop-- > 0);
        octets_ -= is_dropped ? octets_of(name) + sizeof(Tally) + tally.octets() : 0;
        return is_dropped;
    });
}

} // namespace

class ReportMaker::Tallies {
public:
    explicit Tallies(std::size_t most_octets) : most_octets_{most_octets} {}

    void add(const JournalEntry& entry, const Outlook& outlook);
    Report report() const;

private:
    struct ReasonTally {
        std::uint64_t exempt = 0;
        Answers foretold;
        Distinct sender_domains;
    };

    struct StageTally {
        Counts counts;
        Distinct sender_domains;
    };

    void add_reason(const Observation& observation);
    void add_stage(const Observation& observation);
    void add_rows(Report& report) const;
    void add_stage_rows(Report& report) const;

    std::size_t most_octets_;
    GroupTally total_;
    Tallied<SendingDomain, std::unordered_map<SendingDomain, Tally, SendingDomainHash>>
        sender_domains_;
    Tallied<Prefix, std::map<Prefix, Tally, PrefixOrder>> networks_;
    std::map<Reason, ReasonTally> by_reason_;
    std::map<std::string, StageTally> by_stage_;
    std::map<std::pair<std::string, std::string>, StageTally> by_stage_change_; // from, to
    std::map<std::chrono::sys_days, Counts> by_day_;
};

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
    if (from != to && observation.outlook.prospect != Prospect::unknown) {
        add_to(by_stage_change_[{from, to}]);
    }
}

void ReportMaker::Tallies::add(const JournalEntry& entry, const Outlook& outlook) {
    const Evidence& evidence = entry.evidence;
    const Address client = evidence.client.value_or(Address{});
    const Prefix network = network_of(client);
    const SendingDomain sender_domain = sender_domain_of(evidence);
    const auto recipients = hashes_of_recipients(evidence);
    const bool is_in_the_way = outlook.is_refused() || outlook.prospect == Prospect::temporary;
    Example example{evidence};
    const Observation observation{
        .entry = entry,
        .example = example,
        .outlook = outlook,
        .kind = kind_of(evidence, entry.host),
        .found = is_in_the_way ? hash_of(found_in(evidence, outlook.reason.value())) : 0,
        .client = hash_of(client.bytes()),
        .network = hash_of(network.address.bytes()),
        .sender_domain = hash_of(sender_domain),
        .recipients = recipients};
    total_.add(observation);
    sender_domains_.add(sender_domain, observation.sender_domain, observation, observation.network);
    networks_.add(network, observation.network, observation, observation.sender_domain);
    add_reason(observation);
    add_stage(observation);
    count(by_day_[std::chrono::floor<std::chrono::days>(entry.time)], observation);
    if (sender_domains_.octets() + networks_.octets() <= most_octets_) {
        return;
    }
    if (sender_domains_.octets() > networks_.octets()) {
        sender_domains_.drop_half();
    } else {
        networks_.drop_half();
    }
}

void ReportMaker::Tallies::add_rows(Report& report) const {
    for (const auto& [sender_domain, tally] : sender_domains_.tallies()) {
        report.sender_domains.push_back({sender_domain, tally.group.group(), tally.peers.size()});
    }
    std::ranges::sort(report.sender_domains, {}, [](const SenderDomainRow& row) {
        return std::tie(row.sender_domain.domain, row.sender_domain.is_null_path);
    });
    for (const auto& [network, tally] : networks_.tallies()) {
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
    report.all_sender_domains = sender_domains_.all().size();
    report.all_networks = networks_.all().size();
    report.refused_sender_domains = sender_domains_.refused().size();
    report.refused_networks = networks_.refused().size();
    return report;
}

ReportMaker::ReportMaker(std::size_t most_octets)
    : tallies_{std::make_unique<Tallies>(most_octets)} {}

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
