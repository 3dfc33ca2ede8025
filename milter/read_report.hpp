// The journal, read into a report.
#pragma once

#include "milter/progress.hpp"
#include "milter/report_scope.hpp"
#include "milter/store/store.hpp"
#include "policy/report.hpp"

#include <cstdint>
#include <functional>

namespace milter {

using AddToReport =
    std::function<void(policy::ReportMaker& maker, const policy::JournalEntry& entry)>;

// How many entries read_report() reads: of all stages, which the store can tell apart only by
// reading them.
std::uint64_t count_for_report(store::Store& store, const ReportScope& scope);

struct ReportRead {
    policy::Report report;
    store::Unreadable unreadable; // what is not in it
};

// Adds what is in the scope, and takes a step for every entry that is read. Throws StoreError.
ReportRead read_report(store::Store& store,
                       const ReportScope& scope,
                       Progress& progress,
                       const AddToReport& add);

} // namespace milter
