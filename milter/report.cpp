// `sixgate report`: what the journal adds up to, as it is or replayed through another
// configuration.
#include "policy/report.hpp"

#include "milter/commands.hpp"
#include "milter/journal.hpp"
#include "milter/output_file.hpp"
#include "milter/progress.hpp"
#include "milter/read_report.hpp"
#include "milter/report_html.hpp"
#include "milter/report_json.hpp"
#include "milter/report_text.hpp"
#include "milter/rollout.hpp"
#include "milter/setup.hpp"
#include "milter/since.hpp"
#include "milter/standard_output.hpp"
#include "milter/store/open_store.hpp"
#include "policy/replay.hpp"

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace milter {

namespace {

constexpr std::chrono::days usual_period{14};

// Whose journal is read: that of the file in use where it is named, or else the candidate's, which
// is a copy of it with changes, or else that of the default file.
const std::string& journal_file(const ReportOptions& options) {
    return options.journal_of.empty() ? options.candidate : options.journal_of;
}

policy::Report report_on(store::Store& store, const ReportScope& scope, const AddToReport& add) {
    ReportRead read;
    {
        Progress progress{"entries", count_for_report(store, scope)};
        read = read_report(store, scope, progress, add);
    }
    tell(read.unreadable);
    read.report.unreadable = read.unreadable.entries;
    return std::move(read.report);
}

policy::Report report_as_it_is(const Config& config, const ReportScope& scope) {
    const auto store = open_journal_store(config.store);
    return report_on(
        *store, scope, [](policy::ReportMaker& maker, const policy::JournalEntry& entry) {
            maker.add(entry);
        });
}

// Of the journal's own configuration: a candidate changes nothing about what has happened.
std::optional<policy::FallbackReport> fallback_report(const Config& config,
                                                      const ReportScope& scope) {
    if (!config.fallback_window) {
        return std::nullopt;
    }
    policy::FallbackReportMaker maker{scope.until, *config.fallback_window};
    store::open_fallback_ledger(config.store, store::Access::read)
        ->read(scope.since, [&](const store::FallbackEntry& entry) {
            if (scope.stage.empty() || entry.refusal.stage == scope.stage) {
                maker.add(entry.refusal);
            }
        });
    return maker.report();
}

policy::Report report_by(const Config& candidate, const Config& config, const ReportScope& scope) {
    const auto store = open_journal_store(config.store);
    const auto policy = for_journal(candidate.policy, config.store);
    const bool parts = policy::answers_recipients(policy);
    return report_on(
        *store, scope, [&](policy::ReportMaker& maker, const policy::JournalEntry& kept) {
            const auto entry = placed(kept, candidate.rollout_key);
            if (!parts) {
                maker.add(entry, policy::replayed(entry, policy));
                return;
            }
            for (const auto& part : policy::parted(entry, policy)) {
                maker.add(part, policy::replayed(part, policy));
            }
        });
}

// Returns the exit status.
int give(const policy::Report& report, const ReportScope& scope, const ReportOptions& options) {
    if (!options.html_file.empty()) {
        return write_or_tell(options.html_file, report_html(report, scope));
    }
    if (options.as_json) {
        write_json(report, scope, [](std::string_view text) { fmt::print("{}", text); });
    } else {
        fmt::print("{}", report_text(report, scope, terminal_at(STDOUT_FILENO)));
    }
    flush_standard_output();
    return EX_OK;
}

} // namespace

int report(const ReportOptions& options) {
    const auto config = load_or_tell(journal_file(options));
    if (!config) {
        return EX_CONFIG;
    }
    const policy::Time until = now();
    const ReportScope scope{.since = options.since.value_or(until - usual_period),
                            .until = until,
                            .stage = options.stage,
                            .candidate = options.candidate,
                            .limit = options.limit};
    if (options.candidate.empty()) {
        auto report = report_as_it_is(*config, scope);
        report.fallback = fallback_report(*config, scope);
        return give(report, scope, options);
    }
    const auto candidate = load_or_tell(options.candidate);
    if (!candidate) {
        return EX_CONFIG;
    }
    auto report = report_by(*candidate, *config, scope);
    report.fallback = fallback_report(*config, scope);
    return give(report, scope, options);
}

} // namespace milter
