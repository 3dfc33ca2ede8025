#include "milter/report_json.hpp"

#include "milter/since.hpp"
#include "policy/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace milter {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const policy::Answers& answers) {
    return {{"accepted", answers.accepted},
            {"tempfailed", answers.tempfailed},
            {"rejected", answers.rejected}};
}

Json json_of(const policy::Counts& counts) {
    return {{"messages", counts.messages},
            {"passing", counts.passing},
            {"falling_short", counts.falling_short},
            {"temporary", counts.temporary},
            {"exempt", counts.exempt},
            {"unknown", counts.unknown},
            {"refused", counts.refused},
            {"answered", json_of(counts.answered)},
            {"foretold", json_of(counts.foretold)},
            {"changed", json_of(counts.changed)}};
}

Json json_of(const policy::ByKind& numbers) {
    Json json = Json::object();
    for (const auto kind : policy::all_sender_kinds) {
        json[std::string{to_string(kind)}] = numbers[kind];
    }
    return json;
}

Json json_of(const policy::Fault& fault) {
    return {{"reason", to_string(fault.reason)},
            {"messages", fault.messages},
            {"kind", to_string(fault.kind)},
            {"in_short", fault.in_short},
            {"found", fault.found},
            {"remedy", fault.remedy},
            {"hints", fault.hints}};
}

// What is told of every group of messages.
Json numbers_of(const policy::Group& group) {
    Json json = json_of(group.counts);
    const bool is_empty = group.counts.messages == 0;
    json["first"] = is_empty ? Json(nullptr) : Json(to_string(group.first));
    json["last"] = is_empty ? Json(nullptr) : Json(to_string(group.last));
    json["clients"] = group.clients;
    json["recipients"] = group.recipients;
    json["refused_recipients"] = group.refused_recipients;
    json["refused_kinds"] = json_of(group.refused_kinds);
    return json;
}

void add_kind_and_fault(Json& json, const policy::Group& group) {
    json["kind"] = to_string(group.kind);
    json["fault"] = group.fault ? json_of(*group.fault) : Json(nullptr);
}

// null: none, or unknown.
Json stage_or_null(const std::string& stage) {
    return stage.empty() ? Json(nullptr) : Json(policy::printable(stage));
}

Json json_of(const policy::Delays& delays) {
    return {{"messages", delays.count},
            {"median_ms", delays.median.count()},
            {"longest_ms", delays.longest.count()}};
}

Json json_of(const policy::FallbackCounts& counts) {
    return {{"messages", counts.messages},
            {"attempts", counts.attempts},
            {"ipv4", json_of(counts.ipv4)},
            {"mended", json_of(counts.mended)},
            {"let_through", json_of(counts.let_through)},
            {"refused", json_of(counts.refused)},
            {"not_seen", counts.not_seen},
            {"open", counts.open}};
}

// Of stages, or of sender domains.
Json json_of(const std::vector<policy::FallbackRow>& rows,
             const char* what,
             std::optional<std::size_t> limit) {
    Json json = Json::array();
    for (const auto& row : rows) {
        if (json.size() == limit.value_or(rows.size())) {
            break;
        }
        json.push_back({{what, policy::printable(row.name)}});
        json.back().update(json_of(row.counts));
    }
    return json;
}

Json json_of(const std::optional<policy::FallbackReport>& fallback, const ReportScope& scope) {
    if (!fallback) {
        return nullptr;
    }
    return {{"window_ms", fallback->window.count()},
            {"total", json_of(fallback->total)},
            {"stages", json_of(fallback->stages, "stage", std::nullopt)},
            {"sender_domains", json_of(fallback->sender_domains, "domain", scope.limit)}};
}

// The outermost object, member by member.
class ObjectWriter {
public:
    explicit ObjectWriter(const Write& write) : write_{write} { write_("{"); }

    void add(std::string_view name, const Json& value) {
        begin(name);
        write_(value.dump());
    }

    template <typename Row>
    void add_rows(std::string_view name,
                  const std::vector<Row>& rows,
                  std::optional<std::size_t> limit) {
        begin(name);
        write_("[");
        for (std::size_t i = 0; i < std::min(rows.size(), limit.value_or(rows.size())); ++i) {
            write_(i == 0 ? "\n    " : ",\n    ");
            write_(to_json(rows[i]).dump());
        }
        write_("]");
    }

    void end() { write_("\n}\n"); }

private:
    void begin(std::string_view name) {
        write_(is_first_ ? "\n  " : ",\n  ");
        write_(Json(name).dump() + ": ");
        is_first_ = false;
    }

    const Write& write_;
    bool is_first_ = true;
};

} // namespace

Json to_json(const policy::SenderDomainRow& row) {
    Json json{{"domain", policy::printable(row.sender_domain.domain)},
              {"null_path", row.sender_domain.is_null_path}};
    json.update(numbers_of(row.group));
    json["networks"] = row.networks;
    add_kind_and_fault(json, row.group);
    return json;
}

Json to_json(const policy::NetworkRow& row) {
    Json json{{"network", row.network.to_string()}};
    json.update(numbers_of(row.group));
    json["sender_domains"] = row.sender_domains;
    add_kind_and_fault(json, row.group);
    return json;
}

Json to_json(const policy::ReasonRow& row) {
    return {{"reason", to_string(row.reason)},
            {"exempt", row.exempt},
            {"foretold", json_of(row.foretold)},
            {"sender_domains", row.sender_domains}};
}

Json to_json(const policy::StageRow& row) {
    Json json{{"stage", stage_or_null(row.stage)}};
    json.update(json_of(row.counts));
    json["sender_domains"] = row.sender_domains;
    return json;
}

Json to_json(const policy::StageChange& change) {
    return {{"from", stage_or_null(change.from)},
            {"to", stage_or_null(change.to)},
            {"messages", change.messages},
            {"changed", json_of(change.changed)},
            {"sender_domains", change.sender_domains}};
}

Json to_json(const policy::DayRow& row) {
    const std::chrono::year_month_day date{row.day};
    Json json{{"day",
               fmt::format("{:04}-{:02}-{:02}",
                           static_cast<int>(date.year()),
                           static_cast<unsigned>(date.month()),
                           static_cast<unsigned>(date.day()))}};
    json.update(json_of(row.counts));
    return json;
}

Json total_json(const policy::Report& report) {
    Json json = numbers_of(report.total);
    json["sender_domains"] = report.all_sender_domains;
    json["refused_sender_domains"] = report.refused_sender_domains;
    json["networks"] = report.all_networks;
    json["refused_networks"] = report.refused_networks;
    return json;
}

void write_json(const policy::Report& report, const ReportScope& scope, const Write& write) {
    ObjectWriter object{write};
    object.add("since", to_string(scope.since));
    object.add("until", to_string(scope.until));
    object.add("stage", scope.stage.empty() ? Json(nullptr) : Json(scope.stage));
    object.add("candidate", scope.candidate.empty() ? Json(nullptr) : Json(scope.candidate));
    object.add("total", total_json(report));
    object.add_rows("reasons", report.reasons, std::nullopt);
    object.add_rows("stages", report.stages, std::nullopt);
    object.add_rows("stage_changes", report.stage_changes, std::nullopt);
    object.add_rows("sender_domains", report.sender_domains, scope.limit);
    object.add_rows("client_networks", report.client_networks, scope.limit);
    object.add_rows("days", report.days, std::nullopt);
    object.add("fallback", json_of(report.fallback, scope));
    object.end();
}

} // namespace milter
