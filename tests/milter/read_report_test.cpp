#include "milter/read_report.hpp"
#include "tests/policy/report_makers.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

using milter::ReportScope;

namespace {

// Entries in memory, as a store reads them.
class EntriesInMemory final : public store::Store {
public:
    explicit EntriesInMemory(std::vector<policy::JournalEntry> entries)
        : entries_{std::move(entries)} {}

    void append(std::span<const policy::JournalEntry>) override {}

    Trimmed trim(const store::Bounds&) override { return {}; }

    Forgotten forget(const Predicate&) override { return {}; }

    Position end() override { return static_cast<Position>(entries_.size()); }

    Reading read(const store::Filter& filter, Position, const Visit& visit) override {
        for (const auto& entry : entries_) {
            const bool is_meant = filter.stage.empty() || entry.verdict.stage == filter.stage;
            if (is_meant && entry.time >= filter.since.value()) {
                visit(entry);
            }
        }
        return {end(), {1, "case x is damaged"}};
    }

    // By time alone: the stage stands deeper.
    std::uint64_t count(const store::Filter& filter) override {
        std::uint64_t number = 0;
        for (const auto& entry : entries_) {
            number += entry.time >= filter.since.value() ? 1U : 0U;
        }
        return number;
    }

private:
    std::vector<policy::JournalEntry> entries_;
};

} // namespace

TEST_CASE("read_report: what is in the scope, with a step for all that is read") {
    std::vector<policy::JournalEntry> entries;
    for (const auto* const stage : {"default", "partners", "default", "default", "partners"}) {
        entries.push_back(tests::judged(tests::good_evidence()));
        entries.back().verdict.stage = stage;
        entries.back().time += std::chrono::hours{entries.size()};
    }
    EntriesInMemory store{entries};
    ReportScope scope{.since = tests::first_noon + std::chrono::hours{2},
                      .until = tests::first_noon,
                      .stage = "partners",
                      .candidate = {},
                      .limit = {}};
    const std::uint64_t total = milter::count_for_report(store, scope);
    milter::Progress progress{"entries", total};
    const auto [report, unreadable] = milter::read_report(
        store, scope, progress, [](policy::ReportMaker& maker, const policy::JournalEntry& entry) {
            maker.add(entry);
        });
    CHECK(report.total.counts.messages == 2);
    CHECK(unreadable.entries == 1);
    CHECK(total == 4);
    CHECK(progress.done() == total);
}
