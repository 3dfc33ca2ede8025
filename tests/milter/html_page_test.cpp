// The pages as text. What a browser makes of them: tests/pages.
#include "milter/help_page.hpp"
#include "milter/html_page.hpp"
#include "milter/report_chart.hpp"
#include "milter/report_html.hpp"
#include "policy/replay.hpp"
#include "tests/policy/report_makers.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace of_pages {

using Json = nlohmann::ordered_json;

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

milter::ReportScope scope(const std::string& candidate = "") {
    return {.since = tests::first_noon,
            .until = tests::first_noon + std::chrono::days{14},
            .stage = {},
            .candidate = candidate,
            .limit = {}};
}

policy::Report report_on(const std::vector<policy::JournalEntry>& entries) {
    policy::ReportMaker maker;
    for (const auto& entry : entries) {
        maker.add(entry);
    }
    return maker.report();
}

policy::Report replayed_report(const std::vector<policy::JournalEntry>& entries,
                               const policy::Policy& policy) {
    policy::ReportMaker maker;
    for (const auto& entry : entries) {
        maker.add(entry, policy::replayed(entry, policy));
    }
    return maker.report();
}

} // namespace of_pages

} // namespace

TEST_CASE("html_page: values are text, whatever they hold") {
    const of_pages::Json values{{"name", "<b a=\"1\" b='2'>&{{number}}"}, {"number", 12'345}};
    CHECK(milter::html_page({"<p title=\"{{name}}\">{{name}} {{number}}</p>", ""}, values) ==
          "<p title=\"&lt;b a=&quot;1&quot; b=&apos;2&apos;&gt;&amp;{{number}}\">"
          "&lt;b a=&quot;1&quot; b=&apos;2&apos;&gt;&amp;{{number}} 12,345</p>");
}

TEST_CASE("html_page: a template names nothing that is not there") {
    CHECK_THROWS_AS(milter::html_page({"{{nothing}}", ""}, of_pages::Json::object()),
                    std::logic_error);
    CHECK_THROWS_AS(milter::html_page({"{{#open}}", ""}, {{"open", true}}), std::logic_error);
}

TEST_CASE("html_page: its policy allows our own style and script, and nothing else") {
    const auto policy_of = [](std::string_view script) {
        return milter::html_page({"{{{csp}}}", "p { margin: 0 }", script},
                                 of_pages::Json::object());
    };
    CHECK(policy_of("").starts_with("default-src 'none'; style-src 'sha256-"));
    CHECK_FALSE(of_pages::has(policy_of(""), "script-src"));
    // printf 'alert(1)' | openssl dgst -sha256 -binary | base64
    CHECK(of_pages::has(policy_of("alert(1)"),
                        "script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"));
    CHECK_FALSE(of_pages::has(policy_of("alert(1)"), "unsafe"));
}

TEST_CASE("report_html: every kind of report has what its page needs") {
    const auto bad = tests::judged(tests::without_ptr("b.example", "2001:db8:a::1"));
    const auto good = tests::judged(tests::good_evidence());
    const auto slow = tests::judged(tests::without_name_servers("s.example", "2001:db8::2"));
    const auto page = [](const policy::Report& report, const std::string& candidate = "") {
        return milter::report_html(report, of_pages::scope(candidate));
    };
    CHECK(of_pages::has(page(of_pages::report_on({})), "There are no entries in the journal"));
    CHECK(of_pages::has(page(of_pages::report_on({good})), "No mail would be refused"));
    const std::string harm = page(of_pages::report_on({good, bad, slow, slow}));
    CHECK(of_pages::has(harm, "25.0% of the mail would be refused"));
    CHECK(of_pages::has(harm, "sixgate letter b.example"));
    CHECK(of_pages::has(harm, ">s.example</th>"));
    const auto partners = tests::partners_first(policy::Mode::enforce);
    const std::string next =
        page(of_pages::replayed_report({good, bad, slow}, partners), "next.toml");
    CHECK(of_pages::has(next, "Messages under another stage"));
    CHECK(of_pages::has(next, "Answers that would change"));
    const auto closed = tests::judged(tests::without_ptr("c.example", "2001:db8::9"),
                                      tests::policy_in(policy::Mode::closed));
    CHECK(of_pages::has(page(of_pages::report_on({closed})), "Nothing can be foretold."));
}

TEST_CASE("report_html: nothing is called safe that is not known") {
    struct Case {
        const char* name;
        std::vector<policy::JournalEntry> entries;
        const char* kind;
        std::chrono::hours before = {}; // that the report begins, before the first entry
        bool is_replayed = false;       // by a policy that observes
    };

    const auto good = tests::judged(tests::good_evidence());
    const auto bad = tests::judged(tests::without_ptr("b.example", "2001:db8:b::1"));
    const auto slow = tests::judged(tests::without_name_servers("s.example", "2001:db8::2"));
    const auto good_of_slow = tests::judged(tests::evidence_from("s.example", "2001:db8::2"));
    const auto unchecked = tests::judged(tests::without_ptr("c.example", "2001:db8::9"),
                                         tests::policy_in(policy::Mode::closed));
    const std::vector<Case> cases{
        {"all of it passes", {good}, "safe"},
        {"a sender that passes had a temporary error", {good, slow, good_of_slow}, "safe"},
        {"a sender had nothing else", {good, slow}, "unsure"},
        {"some was refused unchecked", {good, unchecked}, "unsure"},
        {"all was", {unchecked}, "unsure"},
        {"a mode spares what falls short", {good, bad}, "unsure", {}, true},
        {"the journal begins late", {good}, "unsure", std::chrono::hours{25}},
        {"something falls short", {good, bad}, "harm"},
    };
    for (const auto& each : cases) {
        CAPTURE(std::string{each.name});
        auto scope = of_pages::scope();
        scope.since -= each.before;
        const auto report =
            each.is_replayed
                ? of_pages::replayed_report(each.entries, tests::policy_in(policy::Mode::observe))
                : of_pages::report_on(each.entries);
        const auto page = milter::report_html(report, scope);
        CHECK(of_pages::has(page, "class=\"standing " + std::string{each.kind} + '"'));
        CHECK(of_pages::has(page, ">Safe<") == (std::string_view{each.kind} == "safe"));
    }
}

TEST_CASE("report_html: nothing is safe where a part of the journal is not in the numbers") {
    const auto good = tests::judged(tests::good_evidence());
    auto report = of_pages::report_on({good});
    report.unreadable = 2;
    const auto page = milter::report_html(report, of_pages::scope());
    CHECK(of_pages::has(page, "class=\"standing unsure\""));
    CHECK(of_pages::has(page, "2 entries of the journal cannot be read"));

    const auto slow = tests::judged(tests::without_name_servers("s.example", "2001:db8::2"));
    const auto good_of_slow = tests::judged(tests::evidence_from("s.example", "2001:db8::2"));
    auto known = of_pages::report_on({good, slow, good_of_slow});
    CHECK(of_pages::has(milter::report_html(known, of_pages::scope()), ">Safe<"));
    ++known.all_sender_domains; // of which one has no row
    const auto less = milter::report_html(known, of_pages::scope());
    CHECK_FALSE(of_pages::has(less, ">Safe<"));
    CHECK(of_pages::has(less, "it is not known whether they have ever passed"));
}

TEST_CASE("report_html: every share is one of what can be judged") {
    const auto good = tests::judged(tests::good_evidence());
    const auto bad = tests::judged(tests::without_ptr("b.example", "2001:db8:a::1"));
    const auto unchecked = tests::judged(tests::without_ptr("c.example", "2001:db8::9"),
                                         tests::policy_in(policy::Mode::closed));
    const std::string page = milter::report_html(
        of_pages::report_on({good, good, good, bad, unchecked}), of_pages::scope());
    CHECK(of_pages::has(page, "25.0% of the mail would be refused"));
    CHECK(of_pages::has(page, "<b id=\"pass\">75.0%</b> of 4 messages"));
    CHECK(of_pages::has(page, "pass</th><td class=\"n\">3</td><td class=\"n\">75.0%</td>"));
    CHECK(of_pages::has(page, "cannot be judged</th><td class=\"n\">1</td><td></td>"));
    for (const char* const of_all : {"20.0%", "60.0%"}) {
        CHECK_FALSE(of_pages::has(page, of_all));
    }
}

TEST_CASE("report_html: nothing of a page is fetched from anywhere") {
    const auto bad = tests::judged(tests::without_ptr("b.example", "2001:db8:a::1"));
    for (const std::string& page :
         {milter::report_html(of_pages::report_on({bad}), of_pages::scope()),
          milter::help_page({"mx.example.net", "test@example.net", {}})}) {
        for (const char* const part : {"src=", "@import", "url(", "<link", "<iframe"}) {
            CAPTURE(part);
            CHECK_FALSE(of_pages::has(page, part));
        }
    }
}

TEST_CASE("report_html: a scale ends where its numbers are round") {
    using milter::end_of_scale;
    const std::vector<std::pair<std::uint64_t, std::uint64_t>> cases{{0, 1},
                                                                     {1, 1},
                                                                     {2, 2},
                                                                     {3, 4},
                                                                     {5, 6},
                                                                     {9, 10},
                                                                     {11, 20},
                                                                     {21, 40},
                                                                     {41, 60},
                                                                     {61, 80},
                                                                     {12'345, 20'000}};
    for (const auto& [number, end] : cases) {
        CHECK(end_of_scale(number) == end);
    }
    CHECK(end_of_scale(~std::uint64_t{0}) == ~std::uint64_t{0});
}

TEST_CASE("help_page: there is an anchor for every reason") {
    const std::string page = milter::help_page({"<mx>", "", {{}}});
    for (const auto reason : policy::all_reasons) {
        const std::string word{to_string(reason)};
        CAPTURE(word);
        CHECK(of_pages::has(page, "<section id=\"" + word + '"'));
        CHECK(of_pages::has(page, "href=\"#" + word + '"'));
        CHECK(of_pages::has(page, "<code>" + word + "</code>"));
    }
    CHECK(of_pages::has(page, "&lt;mx&gt;"));
    CHECK_FALSE(of_pages::has(page, "mailto:"));
    CHECK(of_pages::has(milter::help_page({"mx", "t@example.net", {}}), "mailto:t@example.net"));
}

TEST_CASE("help_page: it says what this site asks, and no more") {
    policy::Requirements either;
    policy::Requirements both;
    both.authentication = policy::Authentication::spf_and_dkim;
    both.reverse_name = policy::ReverseName::present;
    const auto page = [](std::vector<policy::Requirements> required) {
        return milter::help_page({"mx", "", std::move(required)});
    };
    using of_pages::has;
    const std::string default_page = page({either, either});
    CHECK(has(default_page, "asks of mail a reverse name that leads back to the address it comes"));
    CHECK(has(default_page, "Neither SPF nor DKIM passes"));
    CHECK(has(default_page, "One of them is enough."));
    const std::string strict = page({both});
    CHECK(has(strict, "asks of mail a reverse name of the address"));
    CHECK(has(strict, "SPF or DKIM does not pass"));
    CHECK(has(strict, "Both are asked for here."));
    CHECK_FALSE(has(strict, "One of them is enough."));
    const std::string mixed = page({either, both});
    CHECK(has(mixed,
              "<li>a reverse name that leads back to the address it comes from, and a pass "
              "of SPF or of DKIM</li>"));
    CHECK(has(mixed,
              "<li>a reverse name of the address it comes from, and a pass of SPF and one of "
              "DKIM</li>"));
    CHECK(has(mixed, "depends on who sends it"));
    CHECK(has(mixed, "Both are asked of some senders"));
    CHECK_FALSE(has(mixed, "One of them is enough."));
}

TEST_CASE("help_page: no record in it loses mail, or speaks for another host") {
    const std::string page = milter::help_page({"mx", "", {{}}});
    for (const char* const part : {"v=spf1", "-all", "ip4:"}) {
        CAPTURE(part);
        CHECK_FALSE(of_pages::has(page, part));
    }
    const auto begin = page.find("<section id=\"sender_domain_unreachable\"");
    const std::string section = page.substr(begin, page.find("</section>", begin) - begin);
    CHECK(of_pages::has(section, " MX 10 "));
    CHECK_FALSE(of_pages::has(section, "data-fill"));
}

TEST_CASE("report_html: what soft refusals led to has a part of its own where it is watched for") {
    using namespace std::chrono_literals;
    auto report = of_pages::report_on({tests::judged(tests::good_evidence())});
    const auto page = [&] { return milter::report_html(report, of_pages::scope()); };
    CHECK_FALSE(of_pages::has(page(), "After soft refusals"));

    policy::FallbackReportMaker none{tests::first_noon + 48h, 24h};
    report.fallback = none.report();
    CHECK(of_pages::has(page(), "Nothing was refused softly in this time."));

    policy::FallbackReportMaker maker{tests::first_noon + 48h, 24h};
    for (const char* const domain : {"a.example", "<b>.example", ""}) {
        maker.add(
            {.first = tests::first_noon,
             .attempts = 2,
             .stage = "default",
             .mail_from_domain = domain,
             .recovery = policy::Recovery{policy::RecoveryKind::ipv4, tests::first_noon + 5min}});
    }
    maker.add({.first = tests::first_noon, .attempts = 1, .stage = "other"});
    report.fallback = maker.report();
    const std::string all = page();
    CHECK(of_pages::has(all, "refused softly in 7 attempts, and watched for 24 h"));
    CHECK(of_pages::has(all,
                        "came back over IPv4</th><td class=\"n\">3</td><td class=\"n\">75.0%</td>"
                        "<td class=\"n wide\">5 min</td>"));
    CHECK(of_pages::has(all, "&lt;b&gt;.example</th>"));
    CHECK(of_pages::has(all, "&lt;&gt;</th>"));
    CHECK(of_pages::has(all, "id=\"fallback-stages\""));
}
