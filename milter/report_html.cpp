#include "milter/report_html.hpp"

#include "milter/html_page.hpp"
#include "milter/pages.hpp"
#include "milter/report_chart.hpp"
#include "milter/report_days.hpp"
#include "milter/report_fallback_html.hpp"
#include "milter/report_headline.hpp"
#include "milter/report_json.hpp"
#include "milter/report_rows.hpp"
#include "milter/report_standing.hpp"
#include "milter/report_words.hpp"
#include "milter/subject.hpp"
#include "policy/printable.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace milter {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t usual_rows = 25;

Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

// --- What is said first -------------------------------------------------------------------------

// A part of all that was judged, for the bar and for the table that explains it.
class Parts {
public:
    explicit Parts(std::uint64_t all) : all_{all} {}

    void add(const char* kind, const char* name, std::uint64_t number) {
        const double width = 100 * share(number, all_);
        parts_.push_back({{"kind", kind},
                          {"name", name},
                          {"number", number},
                          {"percent", percent(number, all_)},
                          {"x", x_},
                          {"width", width}});
        x_ += width;
    }

    void add_if_any(const char* kind, const char* name, std::uint64_t number) {
        if (number > 0) {
            add(kind, name, number);
        }
    }

    const Json& parts() const { return parts_; }

private:
    std::uint64_t all_;
    double x_ = 0;
    Json parts_ = Json::array();
};

// Of what can be judged: every share on the page is one of it.
Json parts_of(const policy::Counts& total) {
    Parts parts{total.messages - total.unknown};
    parts.add("passing", "pass", total.passing);
    parts.add("refused", "would be refused", total.refused);
    parts.add("temporary", "temporary errors", total.temporary);
    parts.add_if_any("spared", "fall short, and pass", total.falling_short - total.refused);
    parts.add_if_any("exempt", "exempt", total.exempt);
    return parts.parts();
}

std::string share_passing(const policy::Counts& counts) {
    const std::uint64_t known = counts.messages - counts.unknown;
    return known == 0 ? "-" : percent(counts.passing, known);
}

// --- Tables -------------------------------------------------------------------------------------

// The rows, and what is said of those that are not shown.
template <typename Row, typename Show>
Json table_of(const Rows<Row>& rows, std::size_t limit, Show show) {
    Json shown = Json::array();
    for (const auto* row : limited(rows, limit)) {
        shown.push_back(show(*row));
    }
    const bool is_cut = rows.size() > limit;
    return {{"rows", shown},
            {"has_rows", !rows.empty()},
            {"more",
             is_cut ? Json("and " + grouped(rows.size() - limit) + " more: --limit " +
                           std::to_string(rows.size()))
                    : Json(nullptr)}};
}

// Of whom only the sums know, because there are too many.
Json dropped(std::size_t rows, std::uint64_t all, const char* what) {
    return all > rows ? Json("and, in the sums alone, " + grouped(all - rows) + ' ' + what +
                             " with the least mail")
                      : Json(nullptr);
}

// What a row's numbers are in words.
void add_words(Json& json, const policy::Group& group, std::uint64_t most_refused) {
    json["kind"] = word_for(group.kind);
    json["first_day"] = date(std::chrono::floor<std::chrono::days>(group.first));
    json["last_day"] = date(std::chrono::floor<std::chrono::days>(group.last));
    json["bar"] = 100 * share(group.counts.refused, most_refused);
}

Json senders_of(const policy::Report& report, std::size_t limit) {
    const auto rows = rows_with(report.sender_domains, is_refused);
    const std::uint64_t most = rows.empty() ? 0 : rows.front()->group.counts.refused;
    std::size_t number = 0;
    Json table = table_of(rows, limit, [&](const policy::SenderDomainRow& row) {
        Json json = to_json(row);
        add_words(json, row.group, most);
        json["rank"] = ++number;
        json["name"] = name_of(row.sender_domain);
        json["kind_told"] = words_for(row.group.kind);
        json["from"] = counted(row.group.clients, "address in ", "addresses in ") +
                       counted(row.networks, "network", "networks");
        json["other_kind"] = row.group.fault->kind == row.group.kind
                                 ? Json(nullptr)
                                 : Json(word_for(row.group.fault->kind));
        const auto domain = read_domain_name(row.sender_domain.domain);
        json["letter"] = domain ? Json(*domain) : Json(nullptr);
        return json;
    });
    table["dropped"] =
        dropped(report.sender_domains.size(), report.all_sender_domains, "sender domains");
    return table;
}

Json networks_of(const policy::Report& report, std::size_t limit) {
    const auto rows = rows_with(report.client_networks, is_refused);
    const std::uint64_t most = rows.empty() ? 0 : rows.front()->group.counts.refused;
    Json table = table_of(rows, limit, [&](const policy::NetworkRow& row) {
        Json json = to_json(row);
        add_words(json, row.group, most);
        return json;
    });
    table["dropped"] = dropped(report.client_networks.size(), report.all_networks, "networks");
    return table;
}

Json temporary_errors_of(const policy::Report& report, std::size_t limit) {
    const auto rows = rows_with(report.sender_domains, has_only_temporary_errors);
    return table_of(rows, limit, [](const policy::SenderDomainRow& row) {
        Json json = to_json(row);
        add_words(json, row.group, 0);
        json["name"] = name_of(row.sender_domain);
        return json;
    });
}

Json changes_of(const policy::Report& report, std::size_t limit) {
    return table_of(
        rows_with_changes(report.sender_domains), limit, [](const policy::SenderDomainRow& row) {
            Json json = to_json(row);
            json["name"] = name_of(row.sender_domain);
            return json;
        });
}

Json reasons_of(const policy::Report& report) {
    const auto refused_by = [](const policy::ReasonRow& row) {
        return row.foretold.tempfailed + row.foretold.rejected;
    };
    std::uint64_t most = 0;
    for (const auto& row : report.reasons) {
        most = std::max(most, refused_by(row));
    }
    Json rows = Json::array();
    for (const auto& row : report.reasons) {
        Json json = to_json(row);
        json["bar"] = 100 * share(refused_by(row), most);
        rows.push_back(json);
    }
    return {{"rows", rows}, {"has_rows", !rows.empty()}};
}

Json stages_of(const policy::Report& report) {
    Json rows = Json::array();
    for (const auto& row : report.stages) {
        Json json = to_json(row);
        json["name"] = row.stage.empty() ? "(none)" : policy::printable(row.stage);
        json["pass"] = share_passing(row.counts);
        rows.push_back(json);
    }
    return {{"rows", rows}, {"has_rows", rows.size() > 1}};
}

Json stage_changes_of(const policy::Report& report) {
    Json rows = Json::array();
    for (const auto& change : report.stage_changes) {
        Json json = to_json(change);
        json["from"] = change.from.empty() ? "(none)" : policy::printable(change.from);
        json["to"] = change.to.empty() ? "(exempt)" : policy::printable(change.to);
        rows.push_back(json);
    }
    return {{"rows", rows}, {"has_rows", !rows.empty()}};
}

Json days_of(const ShownDays& shown) {
    Json rows = Json::array();
    for (const auto& row : shown.days) {
        const policy::Counts& counts = row.counts;
        Json json = to_json(row);
        const std::uint64_t known = counts.messages - counts.unknown;
        json["pass"] = share_passing(counts);
        json["harm"] = known == 0 ? "-" : percent(counts.refused, known);
        rows.push_back(json);
    }
    return {{"rows", rows},
            {"chart", chart_of(shown)},
            {"later", shown.later > 0 ? Json(later_days(shown)) : Json(nullptr)}};
}

// --- All of it ----------------------------------------------------------------------------------

void add_parts(Json& page, const policy::Report& report, const ReportScope& scope) {
    const std::size_t limit = scope.limit.value_or(usual_rows);
    const Standing standing = standing_of(report, scope);
    page["standing"] = {{"kind", standing.kind}, {"word", standing.word}, {"says", standing.says}};
    page["doubts"] = doubts_on(report, scope);
    page["prognosis"] = prognosis(report, scope);
    page["remarks"] = remarks_on(report);
    page["total"] = total_json(report);
    page["parts"] = parts_of(report.total.counts);
    const std::uint64_t unknown = report.total.counts.unknown;
    page["known"] = report.total.counts.messages - unknown;
    page["unknown"] = unknown == 0 ? Json(nullptr) : Json(grouped(unknown));
    page["pass"] = share_passing(report.total.counts);
    page["days"] = days_of(shown_days(report, scope.until));
    page["senders"] = senders_of(report, limit);
    page["reasons"] = reasons_of(report);
    page["stages"] = stages_of(report);
    page["stage_changes"] = stage_changes_of(report);
    page["changes"] = changes_of(report, limit);
    page["networks"] = networks_of(report, limit);
    page["fallback"] = fallback_of(report, limit);
    page["temporary_errors"] = temporary_errors_of(report, limit);
}

} // namespace

std::string report_html(const policy::Report& report, const ReportScope& scope) {
    const bool has_mail = report.total.counts.messages > 0;
    Json page{{"since", minute(scope.since)},
              {"until", minute(scope.until)},
              {"stage", text_or_null(policy::printable(scope.stage))},
              {"candidate", text_or_null(policy::printable(scope.candidate))},
              {"has_mail", has_mail},
              {"nothing_found", nothing_found(scope)}};
    if (has_mail) {
        add_parts(page, report, scope);
    }
    return html_page({pages::report_html, pages::report_css}, page);
}

} // namespace milter
