#include "milter/report_json.hpp"
#include "milter/report_text.hpp"
#include "policy/replay.hpp"
#include "tests/policy/report_makers.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using milter::ReportScope;
using milter::Terminal;

namespace {

const std::string long_domain =
    "bounces.newsletter-distribution.some-rather-long-company-name.example.org";

// One of everything that a report tells, and names of every length.
std::vector<policy::JournalEntry> entries() {
    std::vector<policy::JournalEntry> entries;
    const auto add = [&](policy::Evidence evidence, int times) {
        for (int i = 0; i < times; ++i) {
            entries.push_back(tests::judged(evidence));
            entries.back().time += std::chrono::hours{5 * i};
        }
    };
    add(tests::good_evidence(), 2'000);
    add(tests::without_ptr(long_domain, "2001:db8:1234:5678:9abc:def0:1234:5678"), 1'200);
    add(tests::without_ptr("b.example", "2001:db8::1"), 3);
    add(tests::without_ptr("ours.example", "fd00::1"), 2);
    add(tests::without_name_servers("slow.example", "2001:db8::2"), 4);
    policy::Evidence hostile = tests::unauthenticated_evidence();
    hostile.mail_from_domain = "x\x1b[2J\xff\n.example";
    add(hostile, 5);
    policy::Evidence bounce = tests::without_ptr("", "2001:db8::3");
    bounce.mail_from.clear();
    bounce.spf_mail_from.reset();
    bounce.helo = std::string(200, 'h') + ".example.org";
    add(bounce, 6);
    return entries;
}

const policy::Report& report() {
    static const auto made = [] {
        policy::ReportMaker maker;
        for (const auto& entry : entries()) {
            maker.add(entry);
        }
        return maker.report();
    }();
    return made;
}

const policy::Report& replayed_report() {
    static const auto made = [] {
        policy::ReportMaker maker;
        for (const auto& entry : entries()) {
            maker.add(entry, policy::replayed(entry, tests::policy_in(policy::Mode::enforce)));
        }
        return maker.report();
    }();
    return made;
}

ReportScope scope() {
    return {.since = tests::first_noon,
            .until = tests::first_noon + std::chrono::days{14},
            .stage = {},
            .candidate = {},
            .limit = {}};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream{text};
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::size_t widest(const std::string& text) {
    std::size_t columns = 0;
    for (const auto& line : lines_of(text)) {
        columns = std::max(columns, milter::columns_of(line));
    }
    return columns;
}

bool is_plain(const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); });
}

nlohmann::ordered_json json_of(const policy::Report& report, const ReportScope& scope) {
    std::string text;
    milter::write_json(report, scope, [&](std::string_view part) { text += part; });
    return nlohmann::ordered_json::parse(text);
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("report_text: no line is wider than the terminal") {
    for (const std::size_t columns : {40U, 60U, 80U, 132U}) {
        CAPTURE(columns);
        const Terminal pipe{columns, false, false};
        ReportScope candidate = scope();
        candidate.candidate = "/etc/sixgate/next.toml";
        for (const auto& text : {milter::report_text(report(), scope(), pipe),
                                 milter::report_text(replayed_report(), candidate, pipe)}) {
            CHECK(widest(text) <= columns);
            CHECK(is_plain(text));
        }
    }
}

TEST_CASE("report_text: tables keep to the terminal with blocks, too") {
    Terminal terminal{80, false, true};
    const std::string text = milter::report_text(report(), scope(), terminal);
    CHECK(widest(text) <= 80);
    CHECK(has(text, "█"));
    CHECK(has(text, "…"));
}

TEST_CASE("report_text: the numbers of a table end below its heading") {
    const std::string text = milter::report_text(report(), scope(), {80, false, false});
    const auto lines = lines_of(text);
    const auto heading = std::ranges::find_if(
        lines, [](const std::string& line) { return has(line, "sender domain  "); });
    REQUIRE(heading != lines.end());
    const auto end = heading->find("refused") + 7;
    const std::vector<std::string> numbers{"1,200", "6", "5", "3", "2"};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const std::string& row = *(heading + 1 + static_cast<std::ptrdiff_t>(i));
        CAPTURE(row);
        CHECK(row.substr(end - numbers[i].size() - 1, numbers[i].size() + 2) ==
              ' ' + numbers[i] + ' ');
    }
}

TEST_CASE("report_text: says first whether it is safe to refuse, and then whom to write to") {
    const auto lines = lines_of(milter::report_text(report(), scope(), {132, false, false}));
    CHECK(lines[0] == "Mail over IPv6, 2026-11-20 12:00 to 2026-12-04 12:00 UTC");
    CHECK(lines[2] == "Enforcing would refuse 1,216 of 3,220 messages (37.8%), of 5 sender "
                      "domains, to 1 recipient. 1 domain sends 98.7% of that.");
    const std::string text = milter::report_text(report(), scope(), {132, false, false});
    CHECK(has(text, "2 of them seem to come from hosts of your own"));
    CHECK(has(text, "Answered so far: 3,220 accepted, 0 tempfailed (4yz), 0 rejected (5yz)."));
    CHECK(has(text, "Enforcing would: 2,000 accepted, 4 tempfailed (4yz), 1,216 rejected (5yz)."));
    CHECK(has(text, "[exempt] networks = [\"fd00::1\"]"));
    CHECK(has(text, "slow.example"));
}

TEST_CASE("report_text: each stage has a row where there are several") {
    policy::ReportMaker maker;
    const auto policy = tests::partners_first(policy::Mode::enforce);
    for (int i = 0; i < 1'500; ++i) {
        maker.add(tests::judged(tests::evidence_from("world.example", "2001:db8:b::1"), policy));
    }
    maker.add(tests::judged(tests::without_ptr("partner.example", "2001:db8:a::1"), policy));
    maker.add(tests::judged(tests::evidence_from("partner.example", "2001:db8:a::1"), policy));
    const std::string text = milter::report_text(maker.report(), scope(), {80, false, false});
    CHECK(has(text,
              "\nBy stage\n"
              "  stage     judged    pass  to refuse  4yz so far  5yz so far  domains\n"
              "  default    1,500  100.0%          0           0           0        1\n"
              "  partners       2   50.0%          1           0           1        1\n"));
    CHECK_FALSE(has(text, "another stage"));
    CHECK_FALSE(has(milter::report_text(report(), scope(), {80, false, false}), "By stage"));
}

TEST_CASE("report_text: what a candidate puts under another stage") {
    policy::ReportMaker maker;
    auto candidate = tests::partners_first(policy::Mode::enforce);
    candidate.exempt_networks = {policy::Prefix::parse("2001:db8:e::/48").value()};
    const auto add = [&](const policy::Evidence& evidence) {
        const auto entry = tests::judged(evidence);
        maker.add(entry, policy::replayed(entry, candidate));
    };
    add(tests::without_ptr("partner.example", "2001:db8:a::1"));
    add(tests::evidence_from("partner.example", "2001:db8:a::1"));
    add(tests::evidence_from("world.example", "2001:db8:b::1"));
    add(tests::without_ptr("ours.example", "2001:db8:e::1"));
    ReportScope with_candidate = scope();
    with_candidate.candidate = "next.toml";
    const std::string text =
        milter::report_text(maker.report(), with_candidate, {80, false, false});
    CHECK(has(text, "\nBy stage of this configuration\n  stage     judged    pass  refused"));
    CHECK(has(text, "\n  partners       2   50.0%        1 "));
    CHECK(has(text, "\n  (none)         1    0.0%        0 "));
    CHECK(has(text,
              "\nMessages under another stage\n"
              "  from     to        messages  to 5yz  to 4yz  to accepted  domains\n"
              "  default  partners         2       1       0            0        1\n"
              "  default  (exempt)         1       0       0            0        1\n"));
}

TEST_CASE("report_text: long names of stages keep to the terminal") {
    policy::ReportMaker maker;
    auto candidate = tests::partners_first(policy::Mode::enforce);
    candidate.stages.front().name = std::string(100, 'p');
    candidate.stages.back().name = std::string(100, 'd');
    for (const auto* const client : {"2001:db8:a::1", "2001:db8:b::1"}) {
        const auto entry = tests::judged(tests::without_ptr("a.example", client));
        maker.add(entry, policy::replayed(entry, candidate));
    }
    ReportScope with_candidate = scope();
    with_candidate.candidate = "next.toml";
    for (const std::size_t columns : {40U, 60U, 80U}) {
        const Terminal terminal{columns, false, false};
        const std::string text = milter::report_text(maker.report(), with_candidate, terminal);
        CHECK(widest(text) <= columns);
        CHECK(has(text, "Messages under another stage"));
    }
}

TEST_CASE("report_text: what seems to be ours is counted by message") {
    policy::ReportMaker maker;
    for (const auto* const address :
         {"fd00::1", "2001:db8::1", "2001:db8::1", "fd00::1", "fd00::2"}) {
        maker.add(tests::judged(tests::without_ptr("mixed.example", address)));
    }
    maker.add(tests::judged(tests::without_ptr("theirs.example", "2001:db8::1")));
    maker.add(tests::judged(tests::without_ptr("theirs.example", "2001:db8::1")));
    maker.add(tests::judged(tests::without_ptr("theirs.example", "fd00::1")));
    const auto report = maker.report();
    const std::string text = milter::report_text(report, scope(), {80, false, false});
    CHECK(has(text, "4 of them seem to come from hosts of your own"));
    const auto json = json_of(report, scope());
    CHECK(json["total"]["refused_kinds"]["own_range"] == 4);
    CHECK(json["total"]["refused_kinds"]["direct"] == 4);
    CHECK(json["sender_domains"][0]["refused_kinds"]["own_range"] == 3);
}

TEST_CASE("report_text: what was found in mail of another kind than most says so") {
    policy::ReportMaker maker;
    const auto add = [&](policy::Evidence evidence, bool is_forwarded, int times) {
        evidence.is_forwarded = is_forwarded;
        for (int i = 0; i < times; ++i) {
            maker.add(tests::judged(evidence));
        }
    };
    add(tests::without_ptr("example.org", "2001:db8::1"), false, 3);
    add(tests::without_ptr("example.org", "2001:db8::2"), true, 2);
    add(tests::unauthenticated_evidence(), true, 2);
    const std::string text = milter::report_text(maker.report(), scope(), {80, false, false});
    CHECK(has(text, "looks forwarded, from 3 addresses"));
    CHECK(has(text, "found (direct): no PTR record"));
}

TEST_CASE("report: what else the sender may have got wrong is a hint") {
    policy::ReportMaker maker;
    maker.add(tests::judged(tests::without_ptr("old.example", "2002:c000:201::1")));
    const auto text = milter::report_text(maker.report(), scope(), Terminal{132, false, false});
    CHECK(has(text, "hint: 2002:c000:201::1 is a 6to4 address"));
    const auto json = json_of(maker.report(), scope());
    CHECK(json["sender_domains"][0]["fault"]["hints"].size() == 1);
}

TEST_CASE("report_text: a limit leaves out rows and says so") {
    ReportScope limited = scope();
    limited.limit = 2;
    const std::string text = milter::report_text(report(), limited, {80, false, false});
    CHECK(has(text, "and 3 more: --limit 5"));
    CHECK_FALSE(has(text, "ours.example"));
}

TEST_CASE("report_text: senders that only the sums know are told") {
    policy::ReportMaker maker{std::size_t{64} << 10U};
    for (int i = 0; i < 1'000; ++i) {
        const std::string number = std::to_string(i);
        maker.add(tests::judged(
            tests::without_ptr("d" + number + ".example", "2001:db8:" + number + "::1")));
    }
    const auto report = maker.report();
    const auto dropped = [](std::size_t rows) {
        return "and, in the sums alone, " + std::to_string(1'000 - rows) + ' ';
    };
    const std::string text = milter::report_text(report, scope(), {132, false, false});
    CHECK(has(text, "of 1,000 sender domains"));
    CHECK_FALSE(has(text, "of that."));
    CHECK(has(text, dropped(report.sender_domains.size()) + "sender domains with the least mail"));
    CHECK(has(text, dropped(report.client_networks.size()) + "networks with the least mail"));
    CHECK(json_of(report, scope())["total"]["sender_domains"] == 1'000);
}

TEST_CASE("report_text: an empty journal") {
    const std::string text =
        milter::report_text(policy::ReportMaker{}.report(), scope(), {80, false, false});
    CHECK(has(text, "There are no entries in the journal for this time."));
}

TEST_CASE("report_text: a clock that ran ahead hides no days") {
    policy::ReportMaker maker;
    auto entry = tests::judged(tests::good_evidence());
    maker.add(entry);
    entry.time += std::chrono::days{400};
    const auto text = [&] {
        return milter::report_text(maker.report(), scope(), {80, false, false});
    };
    maker.add(entry);
    CHECK(has(text(), "  2026-11-20       1  100.0%        0"));
    CHECK(has(text(), "and 1 message of days to come"));
    CHECK_FALSE(has(text(), "2027-"));
    policy::ReportMaker late;
    late.add(entry);
    CHECK(has(milter::report_text(late.report(), scope(), {80, false, false}),
              "and 1 message of days to come"));
}

TEST_CASE("report_text: a journal that begins later than asked for says when") {
    policy::ReportMaker maker;
    maker.add(tests::judged(tests::good_evidence()));
    const auto text_since = [&](policy::Time since) {
        ReportScope asked = scope();
        asked.since = since;
        return milter::report_text(maker.report(), asked, {80, false, false});
    };
    const std::string first = "The first entry is of 2026-11-20 12:00.";
    CHECK_FALSE(has(text_since(tests::first_noon - std::chrono::hours{23}), first));
    CHECK(has(text_since(tests::first_noon - std::chrono::days{10}), first));
}

TEST_CASE("report_text: nothing is refused") {
    policy::ReportMaker maker;
    maker.add(tests::judged(tests::good_evidence()));
    const std::string text = milter::report_text(maker.report(), scope(), {80, false, false});
    CHECK(has(text, "Enforcing would refuse none of 1 message."));
    CHECK_FALSE(has(text, "What to write"));
}

TEST_CASE("report_text: what was refused unchecked is not foretold") {
    const auto text_with = [](const std::vector<policy::Evidence>& checked) {
        policy::ReportMaker maker;
        maker.add(tests::judged(tests::good_evidence(), tests::policy_in(policy::Mode::closed)));
        for (const auto& evidence : checked) {
            maker.add(tests::judged(evidence));
        }
        return milter::report_text(maker.report(), scope(), {132, false, false});
    };
    const std::string unknown = "1 message cannot be judged once more";
    const std::string nothing = text_with({});
    CHECK(has(nothing, "Nothing can be foretold."));
    CHECK(has(nothing, unknown));
    const std::string some = text_with({tests::good_evidence(), tests::unauthenticated_evidence()});
    CHECK(has(some, "Enforcing would refuse 1 of 2 messages that can be judged (50.0%)"));
    CHECK(has(some, unknown));
}

TEST_CASE("report_text: what a candidate lets pass is told") {
    policy::ReportMaker maker;
    const auto entry = tests::judged(tests::unauthenticated_evidence());
    maker.add(entry, policy::replayed(entry, {}));
    ReportScope candidate = scope();
    candidate.candidate = "next.toml";
    const std::string text = milter::report_text(maker.report(), candidate, {80, false, false});
    CHECK(has(text, "This configuration would refuse none of 1 message."));
    CHECK(has(text, "1 message falls short and would pass nevertheless"));
    CHECK(has(text, "None: every message would be answered as it was."));
}

TEST_CASE("report as JSON: every number under its key") {
    const auto json = json_of(report(), scope());
    CHECK(json["since"] == "2026-11-20T12:00:00Z");
    CHECK(json["stage"].is_null());
    CHECK(json["candidate"].is_null());
    CHECK(json["total"]["messages"] == 3'220);
    CHECK(json["total"]["passing"] == 2'000);
    CHECK(json["total"]["refused"] == 1'216);
    CHECK(json["total"]["temporary"] == 4);
    CHECK(json["total"]["foretold"]["rejected"] == 1'216);
    CHECK(json["total"]["changed"]["tempfailed"] == 4);
    CHECK(json["total"]["sender_domains"] == 7);
    CHECK(json["total"]["refused_sender_domains"] == 5);
    CHECK(json["sender_domains"].size() == 7);
    const auto& worst = json["sender_domains"][0];
    CHECK(worst["domain"] == long_domain);
    CHECK(worst["null_path"] == false);
    CHECK(worst["refused"] == 1'200);
    CHECK(worst["networks"] == 1);
    CHECK(worst["kind"] == "direct");
    CHECK(worst["fault"]["reason"] == "reverse_name_missing");
    CHECK(worst["fault"]["messages"] == 1'200);
    CHECK(json["client_networks"][0]["network"] == "2001:db8:1234:5678::/64");
    CHECK(json["days"][0]["day"] == "2026-11-20");
    REQUIRE(json["stages"].size() == 1);
    CHECK(json["stages"][0]["stage"] == "default");
    CHECK(json["stages"][0]["messages"] == 3'220);
    CHECK(json["stages"][0]["refused"] == 1'216);
    CHECK(json["stages"][0]["sender_domains"] == 7);
    CHECK(json["stage_changes"].empty());
    CHECK(is_plain(json.dump()));
}

TEST_CASE("report as JSON: stages, and what changes them") {
    policy::ReportMaker maker;
    auto candidate = tests::partners_first(policy::Mode::enforce);
    candidate.exempt_networks = {policy::Prefix::parse("2001:db8:e::/48").value()};
    for (const auto* const client : {"2001:db8:a::1", "2001:db8:a::2", "2001:db8:e::1"}) {
        const auto entry = tests::judged(tests::without_ptr("a.example", client));
        maker.add(entry, policy::replayed(entry, candidate));
    }
    ReportScope with_candidate = scope();
    with_candidate.candidate = "next.toml";
    const auto json = json_of(maker.report(), with_candidate);
    REQUIRE(json["stages"].size() == 2);
    CHECK(json["stages"][0]["stage"] == "partners");
    CHECK(json["stages"][0]["foretold"]["rejected"] == 2);
    CHECK(json["stages"][1]["stage"].is_null());
    CHECK(json["stages"][1]["exempt"] == 1);
    REQUIRE(json["stage_changes"].size() == 2);
    CHECK(json["stage_changes"][0].dump() ==
          R"({"from":"default","to":"partners","messages":2,)"
          R"("changed":{"accepted":0,"tempfailed":0,"rejected":2},"sender_domains":1})");
    CHECK(json["stage_changes"][1]["to"].is_null());
}

TEST_CASE("report as JSON: a row is a line") {
    std::string text;
    milter::write_json(report(), scope(), [&](std::string_view part) { text += part; });
    const auto lines = lines_of(text);
    CHECK(std::ranges::count_if(lines, [](const std::string& line) {
              return line.starts_with("    {\"domain\":");
          }) == 7);
    CHECK(json_of(policy::ReportMaker{}.report(), scope())["sender_domains"].empty());
}

TEST_CASE("report as JSON: a limit is kept where it is given") {
    ReportScope limited = scope();
    limited.limit = 2;
    const auto json = json_of(report(), limited);
    CHECK(json["sender_domains"].size() == 2);
    CHECK(json["client_networks"].size() == 2);
    CHECK(json["total"]["sender_domains"] == 7);
}
