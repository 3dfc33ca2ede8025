#include "milter/read_report.hpp"

namespace milter {

namespace {

store::Filter filter_for(const ReportScope& scope) {
    store::Filter filter;
    filter.since = scope.since;
    return filter;
}

} // namespace

std::uint64_t count_for_report(store::Store& store, const ReportScope& scope) {
    return store.count(filter_for(scope));
}

ReportRead read_report(store::Store& store,
                       const ReportScope& scope,
                       Progress& progress,
                       const AddToReport& add) {
    policy::ReportMaker maker;
    const auto reading = store.read(filter_for(scope), 0, [&](const policy::JournalEntry& entry) {
        if (scope.stage.empty() || entry.verdict.stage == scope.stage) {
            add(maker, entry);
        }
        progress.step();
    });
    return {maker.report(), reading.unreadable};
}

} // namespace milter
