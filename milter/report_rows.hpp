// Which senders a report for people names, and in which order.
#pragma once

#include "policy/report.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace milter {

template <typename Row>
using Rows = std::vector<const Row*>;

inline bool is_refused(const policy::Counts& counts) {
    return counts.refused > 0;
}

inline bool has_only_temporary_errors(const policy::Counts& counts) {
    return counts.refused == 0 && counts.temporary > 0;
}

inline bool is_changed(const policy::Counts& counts) {
    return counts.changed.total() > 0;
}

// In the order that they have: that of harm.
template <typename Row>
Rows<Row> rows_with(const std::vector<Row>& rows, bool (*is_meant)(const policy::Counts&)) {
    Rows<Row> meant;
    for (const auto& row : rows) {
        if (is_meant(row.group.counts)) {
            meant.push_back(&row);
        }
    }
    return meant;
}

// To which something else would be answered, those first for which most changes.
template <typename Row>
Rows<Row> rows_with_changes(const std::vector<Row>& all) {
    auto rows = rows_with(all, is_changed);
    std::ranges::stable_sort(rows, std::ranges::greater{}, [](const Row* row) {
        return row->group.counts.changed.total();
    });
    return rows;
}

template <typename Row>
Rows<Row> limited(Rows<Row> rows, std::size_t limit) {
    rows.resize(std::min(rows.size(), limit));
    return rows;
}

} // namespace milter
