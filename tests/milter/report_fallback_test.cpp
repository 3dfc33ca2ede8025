#include "milter/report_fallback.hpp"
#include "milter/report_json.hpp"
#include "milter/report_text.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using policy::RecoveryKind;

constexpr policy::Time made_at{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 12h};

policy::SoftRefusal
put_off(const std::string& domain, const std::string& stage, policy::Time first = made_at - 30h) {
    return {.first = first, .attempts = 3, .stage = stage, .mail_from_domain = domain};
}

policy::SoftRefusal
back(policy::SoftRefusal refusal, RecoveryKind kind, std::chrono::milliseconds delay) {
    refusal.recovery = policy::Recovery{kind, refusal.first + delay};
    return refusal;
}

policy::Report fallback_sample() {
    policy::FallbackReportMaker maker{made_at, 24h};
    for (int i = 0; i < 1'200; ++i) {
        maker.add(back(put_off("example.org", "world"), RecoveryKind::ipv4, 400ms));
    }
    maker.add(back(put_off("example.org", "world"), RecoveryKind::mended, 90min));
    maker.add(put_off("example.com", "partners"));
    maker.add(put_off("", "partners", made_at - 1h));
    policy::ReportMaker journal;
    policy::Report report = journal.report();
    report.fallback = maker.report();
    return report;
}

milter::ReportScope scope_of_fallback() {
    return {made_at - 48h, made_at, "", "", std::nullopt};
}

std::string page_of(const policy::Report& report, std::size_t columns, std::size_t limit = 10) {
    milter::Page page{{columns, false, false}};
    milter::add_fallback(page, report, limit);
    return page.text();
}

// The line that begins so, with single spaces.
std::string line_of(const std::string& text, const std::string& beginning) {
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) {
        std::istringstream words{line};
        std::string plain;
        for (std::string word; words >> word;) {
            plain += plain.empty() ? word : ' ' + word;
        }
        if (plain.starts_with(beginning)) {
            return plain;
        }
    }
    return "";
}

} // namespace

TEST_CASE("report_fallback: every fate has its line, and every domain its row") {
    const std::string text = page_of(fallback_sample(), 80);
    CHECK(text.find("After soft refusals") != std::string::npos);
    CHECK(text.find("watched for 24 h") != std::string::npos);
    CHECK(line_of(text, "1,203 messages") != "");
    CHECK(line_of(text, "came back over IPv4") == "came back over IPv4 1,200 99.8% 0.4 s 0.4 s");
    CHECK(line_of(text, "came back mended") == "came back mended 1 0.1% 90 min 90 min");
    CHECK(line_of(text, "not seen here again") == "not seen here again 1 0.1% - -");
    CHECK(line_of(text, "still open") == "still open 1 0.1% - -");
    CHECK(line_of(text, "world") == "world 1,201 1,200 1 0 0 0.4 s");
    CHECK(line_of(text, "partners") == "partners 2 0 0 1 1 -");
    CHECK(line_of(text, "example.org") == "example.org 1,201 1,200 1 0 0 0.4 s");
    CHECK(line_of(text, "<>") == "<> 1 0 0 0 1 -");
    CHECK(page_of(fallback_sample(), 80, 1).find("example.org") == std::string::npos);
}

TEST_CASE("report_fallback: no line is wider than the terminal") {
    for (const std::size_t columns : {50U, 80U, 132U}) {
        std::istringstream lines{page_of(fallback_sample(), columns)};
        for (std::string line; std::getline(lines, line);) {
            CHECK(line.size() <= columns);
        }
    }
}

TEST_CASE("report_fallback: what is not watched for has no part in it") {
    policy::Report report = fallback_sample();
    report.fallback = policy::FallbackReport{};
    CHECK(page_of(report, 80).find("Nothing was refused softly") != std::string::npos);
    report.fallback.reset();
    CHECK(page_of(report, 80).empty());
}

TEST_CASE("report_fallback: JSON has the same numbers") {
    const auto json_of = [](const policy::Report& report) {
        std::string text;
        milter::write_json(
            report, scope_of_fallback(), [&](std::string_view part) { text += part; });
        return nlohmann::json::parse(text).at("fallback");
    };
    policy::Report report = fallback_sample();
    const auto json = json_of(report);
    CHECK(json["window_ms"] == 86'400'000);
    CHECK(json["total"]["ipv4"] ==
          nlohmann::json{{"messages", 1'200}, {"median_ms", 400}, {"longest_ms", 400}});
    CHECK(json["total"]["attempts"] == 3 * 1'203);
    CHECK(json["total"]["not_seen"] == 1);
    CHECK(json["stages"][0]["stage"] == "partners");
    CHECK(json["sender_domains"][0]["domain"] == "example.com");
    CHECK(json["sender_domains"].size() == 3);
    report.fallback.reset();
    CHECK(json_of(report).is_null());
}

TEST_CASE("delays are told as exactly as one wants to know") {
    struct Case {
        std::chrono::milliseconds delay;
        const char* told;
    };

    const std::vector<Case> cases{{0ms, "0.0 s"},
                                  {9'949ms, "9.9 s"},
                                  {10s, "10 s"},
                                  {119s, "119 s"},
                                  {2min, "2 min"},
                                  {119min, "119 min"},
                                  {2h, "2 h"},
                                  {47h, "47 h"},
                                  {48h, "2 d"}};
    for (const auto& c : cases) {
        CHECK(milter::delay_told(c.delay) == c.told);
    }
}
