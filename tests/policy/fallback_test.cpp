#include "policy/decide.hpp"
#include "policy/fallback.hpp"
#include "policy/fallback_report.hpp"
#include "tests/policy/evidence_makers.hpp"
#include "tests/policy/stage_makers.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

namespace {

constexpr Time report_time{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} +
                           std::chrono::hours{12}};
constexpr std::chrono::minutes a_minute{1};

Policy of_mode(Mode mode, Profile profile = Profile::rfc7372) {
    Stage stage = tests::stage("partners", mode);
    stage.replies = replies_of(profile);
    return tests::policy_of({stage});
}

Verdict verdict_on(const Evidence& evidence, const Policy& policy) {
    return decide(evidence, policy).value();
}

Evidence from(const char* client) {
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.client = Address::parse(client);
    return evidence;
}

SoftRefusal refusal(const std::string& domain, Time first, std::optional<Recovery> recovery = {}) {
    return {.first = first,
            .attempts = 2,
            .stage = "partners",
            .mail_from_domain = domain,
            .recovery = recovery};
}

Recovery after(RecoveryKind kind, Time first, std::chrono::milliseconds delay) {
    return {kind, first + delay};
}

} // namespace

TEST_CASE("what is refused softly is remembered, and nothing else") {
    const Evidence evidence = tests::unauthenticated_evidence();
    const auto remembered = [&](const Evidence& each, const Policy& policy) {
        return soft_refusal(each, verdict_on(each, policy), report_time).has_value();
    };
    CHECK(remembered(evidence, of_mode(Mode::soft)));
    CHECK(remembered(evidence, of_mode(Mode::soft, Profile::mx6)));
    CHECK_FALSE(remembered(tests::good_evidence(), of_mode(Mode::soft)));
    for (const Mode mode : {Mode::observe, Mode::tag, Mode::enforce, Mode::closed}) {
        CHECK_FALSE(remembered(evidence, of_mode(mode)));
    }
    auto in_doubt = evidence; // nothing falls short, as far as is known
    in_doubt.spf_mail_from->result = SpfResult::temperror;
    CHECK(verdict_on(in_doubt, of_mode(Mode::soft)).action == Action::tempfail);
    CHECK_FALSE(remembered(in_doubt, of_mode(Mode::soft)));
    auto test = of_mode(Mode::soft);
    test.probe_recipients = tests::recipients({"someone@example.net"});
    CHECK_FALSE(remembered(evidence, test));

    auto bounce = evidence;
    bounce.mail_from_domain = "Example.ORG";
    const auto kept =
        soft_refusal(bounce, verdict_on(bounce, of_mode(Mode::soft)), report_time).value();
    CHECK(kept == SoftRefusal{.first = report_time,
                              .attempts = 1,
                              .reason = Reason::unauthenticated,
                              .stage = "partners",
                              .mail_from = "user@example.org",
                              .mail_from_domain = "example.org",
                              .recipient = "",
                              .network = Address::parse("2001:db8:5::").value()});
}

TEST_CASE("what a message that comes again is to its refusal") {
    struct Case {
        const char* name;
        Evidence evidence;
        Policy policy;
        std::optional<RecoveryKind> kind;
    };

    const Evidence good = tests::good_evidence();
    const Evidence bad = tests::unauthenticated_evidence();
    Evidence to_postmaster = bad;
    to_postmaster.recipients = {"postmaster@example.net"};
    Evidence user = bad;
    user.is_authenticated = true;
    const std::vector<Case> cases{
        {"IPv4", from("192.0.2.1"), of_mode(Mode::enforce), RecoveryKind::ipv4},
        {"mended", good, of_mode(Mode::soft), RecoveryKind::mended},
        {"put off again", bad, of_mode(Mode::soft), std::nullopt},
        {"the policy is milder by now", bad, of_mode(Mode::tag), RecoveryKind::let_through},
        {"or off", bad, of_mode(Mode::off), RecoveryKind::let_through},
        {"or stricter", bad, of_mode(Mode::enforce), RecoveryKind::refused},
        {"exempt", to_postmaster, of_mode(Mode::enforce), RecoveryKind::let_through},
        {"our own host", from("127.0.0.1"), of_mode(Mode::enforce), std::nullopt},
        {"our own user", user, of_mode(Mode::enforce), std::nullopt},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            CHECK(recovery_by(verdict_on(c.evidence, c.policy)) == c.kind);
        }
    }
}

TEST_CASE("a report has every message in one line, and its delays") {
    FallbackReportMaker maker{report_time, 10 * a_minute};
    const Time long_ago = report_time - 60 * a_minute;
    for (const int minutes : {5, 1, 30, 2}) {
        maker.add(refusal(
            "example.org", long_ago, after(RecoveryKind::ipv4, long_ago, minutes * a_minute)));
    }
    maker.add(refusal("example.org", long_ago, after(RecoveryKind::mended, long_ago, a_minute)));
    maker.add(refusal("example.com", long_ago));
    maker.add(refusal("example.com", report_time - 10 * a_minute)); // until its window is over
    maker.add(refusal("example.com", report_time - 10 * a_minute - std::chrono::milliseconds{1}));
    maker.add(refusal(
        "", report_time, after(RecoveryKind::let_through, report_time, -a_minute))); // clocks
    maker.add(refusal("", report_time, after(RecoveryKind::refused, report_time, a_minute)));

    const auto report = maker.report();
    CHECK(report.window == 10 * a_minute);
    CHECK(report.total == FallbackCounts{.messages = 10,
                                         .attempts = 20,
                                         .ipv4 = {4, 2 * a_minute, 30 * a_minute},
                                         .mended = {1, a_minute, a_minute},
                                         .let_through = {1, {}, {}},
                                         .refused = {1, a_minute, a_minute},
                                         .not_seen = 2,
                                         .open = 1});
    REQUIRE(report.sender_domains.size() == 3);
    CHECK(report.sender_domains[0].name == "example.com");
    CHECK(report.sender_domains[1].name == "example.org");
    CHECK(report.sender_domains[1].counts.ipv4 == report.total.ipv4);
    CHECK(report.sender_domains[2].name.empty());
    CHECK(report.stages == std::vector<FallbackRow>{{"partners", report.total}});
    CHECK(FallbackReportMaker{report_time, a_minute}.report().total == FallbackCounts{});
}

TEST_CASE("domains without end are in the sums, and those with the most messages have a row") {
    FallbackReportMaker maker{report_time, a_minute, 10};
    for (int i = 0; i < 1'000; ++i) {
        maker.add(refusal("partner.example", report_time));
        maker.add(refusal("x" + std::to_string(i) + ".example", report_time));
    }
    const auto report = maker.report();
    CHECK(report.total.messages == 2'000);
    CHECK(report.sender_domains.size() <= 10);
    CHECK(report.sender_domains.front().name == "partner.example");
    CHECK(report.sender_domains.front().counts.messages == 1'000);
}
