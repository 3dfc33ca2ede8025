#include "milter/report_fallback_html.hpp"

#include "milter/report_fallback.hpp"
#include "milter/report_words.hpp"
#include "policy/printable.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace milter {

namespace {

using Json = nlohmann::ordered_json;

std::string delay_or_dash(const policy::Delays& delays, std::chrono::milliseconds delay) {
    return delays.count == 0 ? "-" : delay_told(delay);
}

// What became of messages, each line with its key in the page's colours.
class Fates {
public:
    explicit Fates(std::uint64_t all) : all_{all} {}

    void add(const char* kind, const char* name, const policy::Delays& delays) {
        add(kind,
            name,
            delays.count,
            delay_or_dash(delays, delays.median),
            delay_or_dash(delays, delays.longest));
    }

    void add(const char* kind, const char* name, std::uint64_t number) {
        add(kind, name, number, "-", "-");
    }

    const Json& rows() const { return rows_; }

private:
    void add(const char* kind,
             const char* name,
             std::uint64_t number,
             const std::string& median,
             const std::string& longest) {
        const double width = 100 * share(number, all_);
        rows_.push_back({{"kind", kind},
                         {"name", name},
                         {"number", number},
                         {"percent", percent(number, all_)},
                         {"x", x_},
                         {"width", width},
                         {"median", median},
                         {"longest", longest}});
        x_ += width;
    }

    std::uint64_t all_;
    double x_ = 0;
    Json rows_ = Json::array();
};

Json fates_of(const policy::FallbackCounts& total) {
    Fates fates{total.messages};
    fates.add("recovered", "came back over IPv4", total.ipv4);
    fates.add("mended", "came back mended", total.mended);
    fates.add("spared", "came back and were let through", total.let_through);
    fates.add("refused", "refused for good in the end", total.refused);
    fates.add("temporary", "not seen here again", total.not_seen);
    fates.add("unknown", "still open", total.open);
    return fates.rows();
}

Json rows_of(const std::vector<policy::FallbackRow>& rows, std::size_t limit) {
    Json shown = Json::array();
    for (std::size_t i = 0; i < std::min(rows.size(), limit); ++i) {
        const policy::FallbackCounts& counts = rows[i].counts;
        shown.push_back({{"name", rows[i].name.empty() ? "<>" : policy::printable(rows[i].name)},
                         {"messages", counts.messages},
                         {"ipv4", counts.ipv4.count},
                         {"mended", counts.mended.count},
                         {"refused", counts.refused.count},
                         {"not_seen", counts.not_seen},
                         {"open", counts.open},
                         {"median", delay_or_dash(counts.ipv4, counts.ipv4.median)}});
    }
    return {{"rows", shown},
            {"more",
             rows.size() > limit ? Json("and " + grouped(rows.size() - limit) + " more: --limit " +
                                        std::to_string(rows.size()))
                                 : Json(nullptr)}};
}

} // namespace

Json fallback_of(const policy::Report& report, std::size_t limit) {
    if (!report.fallback) {
        return nullptr;
    }
    const policy::FallbackReport& fallback = *report.fallback;
    const std::size_t stages = fallback.stages.size();
    return {{"window", delay_told(fallback.window)},
            {"has_any", fallback.total.messages > 0},
            {"messages", fallback.total.messages},
            {"attempts", fallback.total.attempts},
            {"fates", fates_of(fallback.total)},
            {"by_stage", stages > 1 ? rows_of(fallback.stages, stages) : Json(nullptr)},
            {"by_domain", rows_of(fallback.sender_domains, limit)}};
}

} // namespace milter
