#include "policy/fallback_report.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <tuple>

namespace policy {

namespace {

using std::chrono::milliseconds;

// Of an even number, the lower one of the two in the middle: a delay that was seen.
Delays delays_of(std::vector<milliseconds> delays) {
    if (delays.empty()) {
        return {};
    }
    const auto middle = delays.begin() + static_cast<std::ptrdiff_t>((delays.size() - 1) / 2);
    std::ranges::nth_element(delays, middle);
    return {delays.size(), *middle, *std::max_element(delays.begin(), delays.end())};
}

auto weight_of(const FallbackRow& row) {
    return std::tuple{row.counts.not_seen, row.counts.messages};
}

} // namespace

void FallbackReportMaker::Tally::add(const SoftRefusal& refusal, Time open_since) {
    ++counts.messages;
    counts.attempts += refusal.attempts;
    if (refusal.recovery) {
        const milliseconds delay = refusal.recovery->time - refusal.first;
        delays[refusal.recovery->kind].push_back(std::max(delay, milliseconds{}));
    } else if (refusal.first < open_since) {
        ++counts.not_seen;
    } else {
        ++counts.open;
    }
}

FallbackCounts FallbackReportMaker::Tally::told() const {
    const auto of = [&](RecoveryKind kind) {
        const auto found = delays.find(kind);
        return found == delays.end() ? Delays{} : delays_of(found->second);
    };
    FallbackCounts told = counts;
    told.ipv4 = of(RecoveryKind::ipv4);
    told.mended = of(RecoveryKind::mended);
    told.let_through = of(RecoveryKind::let_through);
    told.refused = of(RecoveryKind::refused);
    return told;
}

void FallbackReportMaker::add(const SoftRefusal& refusal) {
    for (Tally* const tally :
         {&total_, &stages_[refusal.stage], &sender_domains_[refusal.mail_from_domain]}) {
        tally->add(refusal, open_since_);
    }
    if (sender_domains_.size() > most_domains_) {
        drop_half_of_domains();
    }
}

void FallbackReportMaker::drop_half_of_domains() {
    std::vector<Tallies::iterator> domains;
    for (auto each = sender_domains_.begin(); each != sender_domains_.end(); ++each) {
        domains.push_back(each);
    }
    const auto middle = domains.begin() + static_cast<std::ptrdiff_t>(domains.size() / 2);
    std::ranges::nth_element(
        domains, middle, {}, [](const auto& each) { return each->second.counts.messages; });
    for (auto each = domains.begin(); each != middle; ++each) {
        sender_domains_.erase(*each);
    }
}

std::vector<FallbackRow> FallbackReportMaker::rows_of(const Tallies& tallies) {
    std::vector<FallbackRow> rows;
    rows.reserve(tallies.size());
    for (const auto& [name, tally] : tallies) {
        rows.push_back({name, tally.told()});
    }
    std::ranges::stable_sort(rows, std::ranges::greater{}, weight_of); // equal ones stay by name
    return rows;
}

FallbackReport FallbackReportMaker::report() const {
    return {window_, total_.told(), rows_of(stages_), rows_of(sender_domains_)};
}

} // namespace policy
