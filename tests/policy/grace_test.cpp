// What a sender has in a soft stage, what it is told of it, and when the stage hardens.
#include "policy/decide.hpp"
#include "policy/grace.hpp"
#include "policy/journal.hpp"
#include "policy/replay.hpp"
#include "policy/reply.hpp"
#include "tests/policy/evidence_makers.hpp"
#include "tests/policy/stage_makers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

namespace {

constexpr Time grace_begins{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} +
                            std::chrono::hours{12}};
constexpr std::chrono::days five{5};
constexpr std::chrono::milliseconds a_moment{1};

Policy with_grace(const Grace& grace, Profile profile = Profile::rfc7372) {
    Policy policy;
    policy.stages.front().mode = Mode::soft;
    policy.stages.front().grace = grace;
    policy.stages.front().replies = replies_of(profile);
    return policy;
}

const Grace three_in_five_days{3, five, AfterGrace::enforce};

// Unauthenticated; the sender began then and was told `five` days.
Evidence after(std::chrono::milliseconds time, std::uint64_t refusals) {
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.time = grace_begins + time;
    evidence.grace = GraceEvidence{grace_begins, refusals, grace_begins + five};
    return evidence;
}

std::string answer_to(const Evidence& evidence, const Policy& policy) {
    const auto verdict = decide(evidence, policy).value();
    return std::string{to_string(verdict.mode)} + ' ' + std::string{to_string(verdict.action)};
}

Reply graced_reply(const Evidence& evidence, const Policy& policy) {
    const ReplyContext context{"c1", "mx.example.net", "https://example.net/help"};
    return reply_for(decide(evidence, policy).value(), evidence, policy, context);
}

// Unwrapped.
std::string unwrapped(const Reply& reply) {
    std::string text;
    for (const auto& line : reply.lines) {
        text += line + ' ';
    }
    return text;
}

bool tells(const Reply& reply, std::string_view what) {
    return unwrapped(reply).find(what) != std::string::npos;
}

bool matters(const Evidence& evidence, const Policy& policy) {
    return grace_that_matters(evidence, policy, decide(evidence, policy).value()).has_value();
}

} // namespace

TEST_CASE("a soft stage hardens when both tries and time are used up") {
    struct Case {
        const char* name;
        std::chrono::milliseconds time;
        std::uint64_t refusals;
        Grace grace;
        const char* answer;
    };

    const std::vector<Case> cases{
        {"the first", {}, 0, three_in_five_days, "soft tempfail"},
        {"all tries, and time left", five - a_moment, 99, three_in_five_days, "soft tempfail"},
        {"all time, and a try left", five * 9, 2, three_in_five_days, "soft tempfail"},
        {"both", five, 3, three_in_five_days, "enforce reject"},
        {"both, and tag", five, 3, {3, five, AfterGrace::tag}, "tag accept"},
        {"a period made shorter breaks no promise",
         five - a_moment,
         3,
         {3, std::chrono::hours{1}, AfterGrace::enforce},
         "soft tempfail"},
        {"a period made longer counts",
         five,
         3,
         {3, 2 * five, AfterGrace::enforce},
         "soft tempfail"},
        {"to its end", 2 * five, 3, {3, 2 * five, AfterGrace::enforce}, "enforce reject"},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            CHECK(answer_to(after(c.time, c.refusals), with_grace(c.grace)) == c.answer);
        }
    }
}

TEST_CASE("who is not in the ledger is new, and grace changes nothing else") {
    const Evidence used_up = after(five, 3);
    const Policy policy = with_grace(three_in_five_days);

    struct Case {
        const char* name;
        std::function<void(Evidence&, Policy&)> change;
        const char* answer;
    };

    const auto in_mode = [](Mode mode) {
        return [mode](Evidence&, Policy& changed) { changed.stages.front().mode = mode; };
    };
    const std::vector<Case> cases{
        {"not in the ledger", [](Evidence& e, Policy&) { e.grace.reset(); }, "soft tempfail"},
        {"no grace", [](Evidence&, Policy& p) { p.stages[0].grace.reset(); }, "soft tempfail"},
        {"observe", in_mode(Mode::observe), "observe accept"},
        {"enforce", in_mode(Mode::enforce), "enforce reject"},
        {"in order",
         [](Evidence& e, Policy&) {
             e.iprev = tests::iprev_pass();
             e.spf_mail_from = tests::spf(SpfResult::pass);
         },
         "soft accept"},
        {"temporary error",
         [](Evidence& e, Policy&) { e.spf_mail_from = tests::spf(SpfResult::temperror); },
         "soft tempfail"},
        {"exempt recipient",
         [](Evidence& e, Policy&) { e.recipients = {"abuse@example.net"}; },
         "enforce accept"},
        {"mx6 refuses for good already",
         [](Evidence&, Policy& p) { p.stages[0].replies = replies_of(Profile::mx6); },
         "soft reject"},
        {"fallback never does",
         [](Evidence&, Policy& p) { p.stages[0].replies = replies_of(Profile::fallback); },
         "enforce tempfail"},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            Evidence evidence = used_up;
            Policy changed = policy;
            c.change(evidence, changed);
            CHECK(answer_to(evidence, changed) == c.answer);
        }
    }
}

TEST_CASE("the ledger is asked where the verdict hangs on it, and nowhere else") {
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.time = grace_begins;
    Policy policy = with_grace(three_in_five_days);
    CHECK(matters(evidence, policy));
    CHECK_FALSE(matters(tests::good_evidence(), policy));
    CHECK_FALSE(matters(evidence, with_grace(three_in_five_days, Profile::mx6)));

    auto temporary = evidence;
    temporary.spf_mail_from = tests::spf(SpfResult::temperror);
    CHECK_FALSE(matters(temporary, policy));

    auto exempt = evidence;
    exempt.recipients = {"abuse@example.net"};
    CHECK_FALSE(matters(exempt, policy));

    auto test = policy;
    test.probe_recipients = tests::recipients({"someone@example.net"});
    CHECK_FALSE(matters(evidence, test));

    policy.stages.front().grace.reset();
    CHECK_FALSE(matters(evidence, policy));
}

TEST_CASE("a recipient in a stage without grace is no way around it") {
    Stage graced = tests::stage("graced", Mode::soft);
    graced.grace = three_in_five_days;
    Selector others;
    others.recipients = tests::recipients({"other@example.net"});
    Policy policy = tests::policy_of({tests::stage("others", Mode::soft, others), graced});
    policy.mixed_recipients = MixedRecipients::strictest;
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.time = grace_begins;
    evidence.recipients = {"other@example.net", "someone@example.net"};
    REQUIRE(decide(evidence, policy)->stage == "others");
    CHECK(matters(evidence, policy));
    evidence.grace = GraceEvidence{grace_begins - five, 3, grace_begins};
    CHECK(answer_to(evidence, policy) == "enforce reject");

    // And they are told apart where they may be.
    policy.mixed_recipients = MixedRecipients::split;
    evidence.recipients.pop_back();
    CHECK(is_split_off(evidence, policy, "someone@example.net"));
}

TEST_CASE("the reply tells the date, as long as there is one to keep") {
    const Policy policy = with_grace(three_in_five_days);
    const std::string date = "2026-11-27 12:00 UTC";
    const std::string line =
        "Unless this is mended, such mail will be refused for good from " + date + " on.";
    const Reply reply = graced_reply(after({}, 0), policy);
    CHECK(tells(reply, line));
    CHECK(reply.code.to_string() == "450 4.7.26");
    CHECK_FALSE(tells(reply, "Unless this is mended, such mail will be refused for good from  on"));
    CHECK(reply.lines.front().find(date) == std::string::npos);

    CHECK(tells(graced_reply(after(five - a_moment, 9), policy), date));
    CHECK(tells(graced_reply(after({}, 0), with_grace({3, std::chrono::hours{1}, {}})), date));
    CHECK(tells(graced_reply(after({}, 0), with_grace({3, 2 * five, {}})), "2026-12-02 12:00 UTC"));
    CHECK(tells(graced_reply(after({}, 0), with_grace(three_in_five_days, Profile::terse)), line));

    CHECK_FALSE(tells(graced_reply(after(five, 3), policy), "Unless"));
    // The time is used up and a try is left: that date is past.
    CHECK_FALSE(tells(graced_reply(after(five, 2), policy), "Unless"));
    CHECK_FALSE(tells(graced_reply(after(five * 9, 2), policy), "Unless"));
    auto unknown = after({}, 0);
    unknown.grace.reset();
    CHECK_FALSE(tells(graced_reply(unknown, policy), "Unless"));
    CHECK_FALSE(
        tells(graced_reply(after({}, 0), with_grace({3, five, AfterGrace::tag})), "Unless"));
    const auto fallback = with_grace(three_in_five_days, Profile::fallback); // refuses nothing
    CHECK_FALSE(tells(graced_reply(after({}, 0), fallback), "Unless"));
}

TEST_CASE("a date between two minutes is told and kept at the end of its minute") {
    const Policy policy = with_grace(three_in_five_days);
    const auto begun_late = [](std::chrono::milliseconds time) {
        Evidence evidence = after(time, 3);
        evidence.grace->first += std::chrono::seconds{30};
        evidence.grace->refused_from += std::chrono::seconds{30};
        return evidence;
    };
    const auto minute = std::chrono::minutes{1};
    CHECK(tells(graced_reply(begun_late({}), policy), "2026-11-27 12:01 UTC"));
    CHECK(tells(graced_reply(begun_late(five + minute - a_moment), policy), "12:01 UTC"));
    CHECK(answer_to(begun_late(five + minute), policy) == "enforce reject");
}

TEST_CASE("the date that is told is the one on which mail is refused, however stages follow") {
    const Evidence told = after(a_moment, 1);
    const auto refused = [&](const Policy& policy) {
        return refused_from(decide(told, policy).value(), told, policy);
    };
    const Policy alone = with_grace(three_in_five_days);
    CHECK(refused(alone) == grace_begins + five);

    Policy ending = alone;
    ending.stages.front().selector.until = grace_begins + std::chrono::days{2};
    ending.stages.push_back(tests::stage("default", Mode::enforce));
    CHECK(refused(ending) == grace_begins + std::chrono::days{2});
    ending.stages.back().mode = Mode::observe; // and then it passes
    CHECK_FALSE(refused(ending));

    Policy beginning = alone;
    Selector later;
    later.from = grace_begins + std::chrono::days{3};
    beginning.stages.insert(beginning.stages.begin(), tests::stage("b", Mode::enforce, later));
    CHECK(refused(beginning) == grace_begins + std::chrono::days{3});
    beginning.stages.front().selector.from = grace_begins + std::chrono::days{6};
    CHECK(refused(beginning) == grace_begins + five);
}

TEST_CASE("a text of one's own tells the date in its words") {
    Policy policy = with_grace(three_in_five_days);
    auto& row = policy.stages.front().replies[Reason::unauthenticated];
    row.text = {"[{client}] no, case {case}", "Mend it by {refused_from}!", "Thank you"};
    CHECK_FALSE(fault_in(row.text));
    const std::string told = unwrapped(graced_reply(after({}, 0), policy));
    CHECK(told.find("no, case c1 Mend it by 2026-11-27 12:00 UTC! Thank you ") !=
          std::string::npos);
    CHECK(told.find("Unless") == std::string::npos);
    auto unknown = after({}, 0);
    unknown.grace.reset();
    CHECK(unwrapped(graced_reply(unknown, policy)).find("no, case c1 Thank you ") !=
          std::string::npos);
    row.text = {"[{client}] until {refused_from}, case {case}"};
    CHECK(fault_in(row.text).value().starts_with("the first line cannot have {refused_from}"));
}

TEST_CASE("a date has its zeros") {
    CHECK(date_told(Time{std::chrono::sys_days{std::chrono::year{2027} / 1 / 2}} +
                    std::chrono::minutes{65}) == "2027-01-02 01:05 UTC");
}

TEST_CASE("a replay knows what the ledger said at the time, and by another grace what it would") {
    const Policy policy = with_grace(three_in_five_days);
    JournalEntry entry;
    entry.evidence = after(five, 3);
    entry.verdict = decide(entry.evidence, policy).value();
    CHECK(replayed(entry, policy) == entry.verdict);
    CHECK(replayed(entry, with_grace({4, five, {}}))->action == Action::tempfail);
    entry.evidence.grace.reset(); // nobody asked
    CHECK(replayed(entry, policy)->action == Action::tempfail);
}

TEST_CASE("a line of the log has what a sender has used up") {
    const Policy policy = with_grace(three_in_five_days);
    const Evidence evidence = after(five, 3);
    const auto verdict = decide(evidence, policy).value();
    const std::string line = log_line({{}, "mx", "c1", "", evidence, verdict, std::nullopt});
    CHECK(line.ends_with("stage=default mode=enforce refusals=3 "
                         "refused_from=\"2026-11-27 12:00 UTC\""));
}

TEST_CASE("a stage that may come to tag has its field removed from what others send") {
    CHECK(has_mode(with_grace({3, five, AfterGrace::tag}), Mode::tag));
    CHECK_FALSE(has_mode(with_grace(three_in_five_days), Mode::tag));
}
