// `sixgate report`: what the journal adds up to, as it is or replayed through another
// configuration.
#include "policy/report.hpp"

#include "milter/commands.hpp"
#include "milter/journal.hpp"
#include "milter/progress.hpp"
#include "milter/report_json.hpp"
#include "milter/report_text.hpp"
#include "milter/setup.hpp"
#include "milter/since.hpp"
#include "milter/standard_output.hpp"
#include "policy/replay.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sysexits.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>

namespace milter {

namespace {

constexpr std::chrono::days usual_period{14};

// Whose journal is read: that of the file in use where it is named, or else the candidate's, which
// is a copy of it with changes, or else that of the default file.
const std::string& journal_file(const ReportOptions& options) {
    return options.journal_of.empty() ? options.candidate : options.journal_of;
}

using Add = std::function<void(policy::ReportMaker& maker, const policy::JournalEntry& entry)>;

policy::Report report_on(store::Store& store, const store::Filter& filter, const Add& add) {
    policy::ReportMaker maker;
    store::Store::Reading reading;
    {
        Progress progress{"entries", store.count(filter)};
        reading = store.read(filter, 0, [&](const policy::JournalEntry& entry) {
            add(maker, entry);
            progress.step();
        });
    }
    tell(reading.unreadable);
    return maker.report();
}

policy::Report report_as_it_is(const Config& config, const store::Filter& filter) {
    const auto store = open_journal_store(config.store);
    return report_on(
        *store, filter, [](policy::ReportMaker& maker, const policy::JournalEntry& entry) {
            maker.add(entry);
        });
}

policy::Report
report_by(const policy::Policy& candidate, const Config& config, const store::Filter& filter) {
    const auto store = open_journal_store(config.store);
    const auto policy = for_journal(candidate, config.store);
    return report_on(
        *store, filter, [&policy](policy::ReportMaker& maker, const policy::JournalEntry& entry) {
            maker.add(entry, policy::replayed(entry, policy));
        });
}

void print(const policy::Report& report, const ReportScope& scope, bool as_json) {
    if (as_json) {
        fmt::print("{}\n", to_json(report, scope).dump(2));
    } else {
        fmt::print("{}", report_text(report, scope, terminal_at(STDOUT_FILENO)));
    }
    flush_standard_output();
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
    store::Filter filter;
    filter.since = scope.since;
    filter.stage = scope.stage;
    if (options.candidate.empty()) {
        print(report_as_it_is(*config, filter), scope, options.as_json);
        return EX_OK;
    }
    const auto candidate = load_or_tell(options.candidate);
    if (!candidate) {
        return EX_CONFIG;
    }
    print(report_by(candidate->policy, *config, filter), scope, options.as_json);
    return EX_OK;
}

} // namespace milter
