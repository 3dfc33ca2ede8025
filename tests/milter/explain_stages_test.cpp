#include "milter/explain_stages.hpp"
#include "policy/decide.hpp"
#include "policy/stage_choice.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

namespace {

constexpr Time day{std::chrono::sys_days{std::chrono::year{2026} / 12 / 1}};

Stage stage_with(const char* name, Mode mode, const Selector& selector) {
    Stage made;
    made.name = name;
    made.mode = mode;
    made.selector = selector;
    return made;
}

// A default stage that observes, behind these.
Policy with(std::vector<Stage> stages) {
    stages.emplace_back();
    Policy policy;
    policy.stages = std::move(stages);
    return policy;
}

Selector of_tenants() {
    Selector selector;
    selector.recipients = {{"*", "tenant.example"}};
    return selector;
}

Selector of_partners() {
    Selector selector;
    selector.networks = PrefixSet{{Prefix::parse("2001:db8:a::/48").value()}};
    selector.authenticated.emplace().add("partner.example");
    return selector;
}

std::string text_for(const Policy& policy, const Evidence& evidence) {
    const auto choices = milter::stage_choices(policy, evidence, evidence.recipients);
    return milter::stages_text(choices, evidence);
}

} // namespace

TEST_CASE("explain: each part that kept a stage from matching is told, and none that did not") {
    struct Case {
        const char* name;
        void (*select)(Selector& selector);
        void (*change)(Evidence& evidence);
        const char* told;
    };

    const auto same = [](Evidence&) {};
    const std::vector<Case> cases{
        {"networks",
         [](Selector& selector) { selector.networks.emplace(); },
         same,
         "does not match\n        networks: the client is in none of them\n"},
        {"listeners",
         [](Selector& selector) {
             selector.listeners = {{{}, "26", {}}};
         },
         same,
         "does not match\n        listeners: the listener is none of them\n"},
        {"from",
         [](Selector& selector) { selector.from = day; },
         [](Evidence& evidence) { evidence.time = day - std::chrono::milliseconds{1}; },
         "does not match\n        from: begins 2026-12-01T00:00:00Z\n"},
        {"from, and no time",
         [](Selector& selector) { selector.from = day; },
         same,
         "might match\n        from: the time is not known\n"},
        {"until",
         [](Selector& selector) { selector.until = day; },
         [](Evidence& evidence) { evidence.time = day; },
         "does not match\n        until: ended 2026-12-01T00:00:00Z\n"},
        {"percent",
         [](Selector& selector) { selector.percent = 10; },
         [](Evidence& evidence) { evidence.percentile = 73.456; },
         "does not match\n        percent: the sender stands at 73.46, not below 10\n"},
        {"percent, and no percentile",
         [](Selector& selector) { selector.percent = 10; },
         same,
         "might match\n        percent: it is not known where the sender stands\n"},
        {"recipients",
         [](Selector& selector) { selector.recipients = of_tenants().recipients; },
         same,
         "does not match\n        recipients: <someone@example.net> is none of them\n"},
        {"recipients, and one with two readings",
         [](Selector& selector) { selector.recipients = of_tenants().recipients; },
         [](Evidence& evidence) { evidence.recipients = {"a%tenant.example@example.net"}; },
         "might match\n        recipients: <a%tenant.example@example.net> has more than one "
         "reading\n"},
        {"recipients, and nobody",
         [](Selector& selector) { selector.recipients = of_tenants().recipients; },
         [](Evidence& evidence) { evidence.recipients.clear(); },
         "does not match\n        recipients: there is none\n"},
        {"reverse_names",
         [](Selector& selector) { selector.reverse_names.emplace().add("other.example"); },
         same,
         "does not match\n        reverse_names: no name that leads back to the client is one"},
        {"reverse_names, and name servers that do not answer",
         [](Selector& selector) { selector.reverse_names.emplace().add("other.example"); },
         [](Evidence& evidence) { evidence.iprev = IprevEvidence{}; },
         "might match\n        reverse_names: a name could not be looked up\n"},
        {"reverse_names, unchecked",
         [](Selector& selector) { selector.reverse_names.emplace().add("other.example"); },
         [](Evidence& evidence) { evidence.iprev.reset(); },
         "might match\n        reverse_names: not checked\n"},
        {"authenticated",
         [](Selector& selector) { selector.authenticated.emplace().add("other.example"); },
         same,
         "does not match\n        authenticated: no domain that has passed SPF or DKIM is one"},
        {"authenticated, and name servers that do not answer",
         [](Selector& selector) { selector.authenticated.emplace().add("example.org"); },
         [](Evidence& evidence) {
             evidence.spf_mail_from = tests::spf(SpfResult::temperror);
             evidence.dkim->clear();
         },
         "might match\n        authenticated: a domain could not be checked\n"},
        {"authenticated, unchecked",
         [](Selector& selector) { selector.authenticated.emplace().add("example.org"); },
         [](Evidence& evidence) {
             evidence.spf_mail_from.reset();
             evidence.dkim.reset();
         },
         "might match\n        authenticated: not checked\n"},
        {"what certainly does not match, and not what might",
         [](Selector& selector) {
             selector.percent = 10;
             selector.networks.emplace();
         },
         same,
         "does not match\n        networks: the client is in none of them\n    default: "},
        {"two parts",
         [](Selector& selector) { selector = of_partners(); },
         same,
         "does not match\n        networks: the client is in none of them\n"
         "        authenticated: no domain"},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            Selector selector;
            c.select(selector);
            Evidence evidence = tests::good_evidence();
            c.change(evidence);
            const std::string text =
                text_for(with({stage_with("first", Mode::soft, selector)}), evidence);
            const bool is_certain = text.find("might match") == std::string::npos;
            CAPTURE(text);
            CHECK(text.starts_with(std::string{"\nStages\n    first: "} + c.told));
            CHECK(text.ends_with(is_certain
                                     ? "\n    default: applies\n"
                                     : "\n    default: applies, unless one before it does\n"));
        }
    }
}

TEST_CASE("explain: stages behind the one that applies are not told") {
    Selector everybody;
    everybody.networks = PrefixSet{{Prefix::parse("::/0").value()}};
    const Policy policy = with({stage_with("partners", Mode::soft, of_partners()),
                                stage_with("everybody", Mode::soft, everybody),
                                stage_with("late", Mode::soft, of_tenants())});
    CHECK(text_for(policy, tests::good_evidence()) ==
          "\nStages\n"
          "    partners: does not match\n"
          "        networks: the client is in none of them\n"
          "        authenticated: no domain that has passed SPF or DKIM is one of them\n"
          "    everybody: applies\n");
}

TEST_CASE("explain: a client that is exempt is under no stage") {
    Evidence evidence = tests::good_evidence();
    evidence.client = Address::parse("192.0.2.1");
    CHECK(text_for(with({}), evidence).empty());
}

TEST_CASE("explain: of recipients under stages that differ the later ones are split off") {
    Policy policy = with({stage_with("tenants", Mode::enforce, of_tenants())});
    Evidence evidence = tests::good_evidence();
    evidence.recipients = {
        "a@example.net", "b@tenant.example", "c@tenant.example", "d@example.org"};
    const auto choices = milter::stage_choices(policy, evidence, evidence.recipients);
    REQUIRE(choices.size() == 2);
    CHECK(choices[0].recipients == std::vector<std::string>{"a@example.net", "d@example.org"});
    CHECK(choices[0].looked_at.back().stage->name == "default");
    CHECK_FALSE(choices[0].is_split_off);
    CHECK(choices[1].recipients ==
          std::vector<std::string>{"b@tenant.example", "c@tenant.example"});
    CHECK(choices[1].looked_at.back().stage->name == "tenants");
    CHECK(choices[1].is_split_off);

    const std::string text = text_for(policy, evidence);
    CHECK(text.starts_with("\nStages for <a@example.net>, <d@example.org>\n    tenants: does not"));
    CHECK(text.ends_with("\nStages for <b@tenant.example>, <c@tenant.example>: "
                         "split off with 452 4.5.3\n    tenants: applies\n"));

    SUBCASE("not where the strictest applies to all") {
        policy.mixed_recipients = MixedRecipients::strictest;
        CHECK(text_for(policy, evidence).find("split off") == std::string::npos);
    }
    SUBCASE("not where the stages answer alike") {
        policy.stages.front().mode = Mode::observe;
        CHECK(text_for(policy, evidence).find("split off") == std::string::npos);
    }
    SUBCASE("not from one that is refused by itself, nor that one") {
        policy.stages.front().mode = Mode::closed;
        evidence.recipients = {"b@tenant.example", "a@example.net", "c@tenant.example"};
        CHECK(text_for(policy, evidence).find("split off") == std::string::npos);
    }
}

TEST_CASE("explain: many recipients are told by the first of them") {
    Evidence evidence = tests::good_evidence();
    evidence.recipients.assign(1'000, "b@tenant.example");
    evidence.recipients.front() = "a@example.net";
    const std::string text =
        text_for(with({stage_with("tenants", Mode::enforce, of_tenants())}), evidence);
    CHECK(text.find("<b@tenant.example> and 994 more: split off") != std::string::npos);
    CHECK(text.size() < 500);
}

TEST_CASE("explain: what each stage would answer, whoever it selects") {
    Stage strict = stage_with("strict", Mode::enforce, of_partners());
    strict.requirements = requirements_of(Profile::eop);
    strict.replies = replies_of(Profile::eop);
    Policy policy = with({stage_with("off", Mode::off, of_tenants()),
                          stage_with("soft", Mode::soft, of_tenants()),
                          strict,
                          stage_with("closed", Mode::closed, {})});
    const Evidence evidence = tests::unauthenticated_evidence();
    const auto answers = milter::stage_answers(policy, evidence, evidence.recipients);

    struct Row {
        const char* stage;
        Match match;
        Action action;
        const char* reply;
    };

    const std::vector<Row> rows{
        {"off", Match::no, Action::accept, ""},
        {"soft", Match::no, Action::tempfail, "450 4.7.26"},
        {"strict", Match::no, Action::reject, "554 5.7.26"},
        {"closed", Match::yes, Action::tempfail, "451 4.7.1"},
        {"default", Match::yes, Action::accept, ""},
    };
    REQUIRE(answers.size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CAPTURE(i);
        CHECK(answers[i].stage->name == rows[i].stage);
        CHECK(answers[i].match == rows[i].match);
        REQUIRE(answers[i].verdict);
        CHECK(answers[i].verdict->action == rows[i].action);
        CHECK((answers[i].reply ? answers[i].reply->to_string() : "") == rows[i].reply);
    }

    const std::string text = milter::answers_text(answers, {80, false, false});
    CHECK(text == "\nWhat each stage would answer\n"
                  "    stage    selects  mode     verdict   reply       reason\n"
                  "    off      no       off      accept    -\n"
                  "    soft     no       soft     tempfail  450 4.7.26  unauthenticated\n"
                  "    strict   no       enforce  reject    554 5.7.26  unauthenticated\n"
                  "    closed   yes      closed   tempfail  451 4.7.1   closed\n"
                  "    default  yes      observe  accept    -           unauthenticated\n");
    SUBCASE("no line is wider than the terminal") {
        policy.stages.front().name = std::string(200, 'n');
        const auto long_name = milter::stage_answers(policy, evidence, evidence.recipients);
        std::istringstream lines{milter::answers_text(long_name, {40, false, false})};
        for (std::string line; std::getline(lines, line);) {
            CHECK(line.size() <= 40);
        }
    }
    SUBCASE("what needs a check that was not made is unknown") {
        policy.stages.front() = stage_with("reachable", Mode::enforce, {});
        policy.stages.front().requirements.sender_domain = SenderDomain::reachable;
        const auto unknown = milter::stage_answers(policy, evidence, evidence.recipients);
        CHECK_FALSE(unknown.front().verdict);
        CHECK(milter::to_json(unknown)[0]["verdict"].is_null());
    }
    SUBCASE("an exempt recipient is exempt in all of them") {
        Evidence exempt = evidence;
        exempt.recipients = {"postmaster@example.net"};
        for (const auto& each : milter::stage_answers(policy, exempt, exempt.recipients)) {
            CHECK(each.verdict->action == Action::accept);
            CHECK_FALSE(each.reply);
        }
    }
}

TEST_CASE("explain: the chosen stage is the one that decide() has chosen") {
    const Policy policy = with({stage_with("partners", Mode::enforce, of_partners()),
                                stage_with("tenants", Mode::soft, of_tenants())});
    for (const auto* const client : {"2001:db8:a::1", "2001:db8:b::1"}) {
        for (const auto* const domain : {"partner.example", "example.org"}) {
            for (const auto* const recipient : {"a@tenant.example", "a@example.net"}) {
                Evidence evidence = tests::good_evidence();
                evidence.client = Address::parse(client);
                evidence.spf_mail_from->domain = domain;
                evidence.recipients = {recipient};
                const auto choices = milter::stage_choices(policy, evidence, {recipient});
                REQUIRE(choices.size() == 1);
                CHECK(choices.front().looked_at.back().stage->name ==
                      decide(evidence, policy).value().stage);
            }
        }
    }
}

TEST_CASE("explain: stages and answers as JSON") {
    const Policy policy = with({stage_with("partners", Mode::soft, of_partners())});
    const Evidence evidence = tests::good_evidence();
    const auto choices =
        milter::to_json(milter::stage_choices(policy, evidence, evidence.recipients));
    CHECK(choices.dump() == R"([{"recipients":["someone@example.net"],"stage":"default",)"
                            R"("is_certain":true,"is_split_off":false,"looked_at":[)"
                            R"({"stage":"partners","mode":"soft","selector":)"
                            R"({"networks":"no","authenticated":"no"}},)"
                            R"({"stage":"default","mode":"observe","selector":{}}]}])");
    const auto answers =
        milter::to_json(milter::stage_answers(policy, evidence, evidence.recipients));
    REQUIRE(answers.size() == 2);
    CHECK(answers[0]["stage"] == "partners");
    CHECK(answers[0]["selects"] == "no");
    CHECK(answers[0]["verdict"]["action"] == "accept");
    CHECK(answers[0]["reply"].is_null());
}
