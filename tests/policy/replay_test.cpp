#include "policy/decide.hpp"
#include "policy/replay.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

namespace {

constexpr Time midnight{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}};

Policy in_mode(Mode mode) {
    Policy policy;
    policy.stages.front().mode = mode;
    return policy;
}

// As the daemon journals it.
JournalEntry journalled(const Evidence& evidence, const Policy& policy) {
    JournalEntry entry;
    entry.evidence = as_counted(evidence, policy.stages.front());
    entry.verdict = decide(evidence, policy).value();
    return entry;
}

Evidence wide_evidence() {
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.spf_mail_from = tests::spf(SpfResult::pass);
    evidence.spf_mail_from->is_wide = true;
    return evidence;
}

} // namespace

TEST_CASE("a replay says what a policy would have said at the time") {
    Policy strict = in_mode(Mode::enforce);
    strict.stages.front().requirements.count_wide_spf = false;
    for (const auto& evidence :
         {tests::good_evidence(), tests::unauthenticated_evidence(), wide_evidence()}) {
        for (const auto& then : {Policy{}, in_mode(Mode::soft), strict}) {
            for (const auto& now : {Policy{}, in_mode(Mode::soft), strict}) {
                CHECK(replayed(journalled(evidence, then), now) == decide(evidence, now));
            }
        }
    }
}

TEST_CASE("what a closed stage refused unchecked cannot be judged by another") {
    Evidence evidence = tests::good_evidence();
    evidence.iprev.reset();
    evidence.dkim.reset();
    const JournalEntry entry = journalled(evidence, in_mode(Mode::closed));
    CHECK(replayed(entry, in_mode(Mode::closed)) == entry.verdict);
    CHECK_FALSE(replayed(entry, in_mode(Mode::enforce)).has_value());
}

TEST_CASE("what nobody asked for when a message came selects no stage afterwards") {
    struct Case {
        const char* name;
        void (*select)(Selector& selector);
        void (*give)(Evidence& evidence); // what the selector asks for, and matches
    };

    const std::vector<Case> cases{
        {"percent",
         [](Selector& selector) { selector.percent = 10; },
         [](Evidence& evidence) { evidence.percentile = 9; }},
        {"from",
         [](Selector& selector) { selector.from = midnight; },
         [](Evidence& evidence) { evidence.time = midnight; }},
        {"until",
         [](Selector& selector) { selector.until = midnight; },
         [](Evidence& evidence) { evidence.time = Time{}; }},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            Policy candidate = in_mode(Mode::observe);
            Stage trial;
            trial.name = "trial";
            trial.mode = Mode::enforce;
            c.select(trial.selector);
            candidate.stages.insert(candidate.stages.begin(), trial);
            JournalEntry entry = journalled(tests::unauthenticated_evidence(), Policy{});
            CHECK_FALSE(replayed(entry, candidate).has_value());

            SUBCASE("but where another part keeps it from matching") {
                candidate.stages.front().selector.listeners = {{{}, "26", {}}};
                CHECK(replayed(entry, candidate).value().stage == "default");
            }
            SUBCASE("nor where a stage before it applies") {
                candidate.stages.insert(candidate.stages.begin(), Stage{});
                CHECK(replayed(entry, candidate).value().stage == "default");
            }
            SUBCASE("nor where a stage before it could not be looked up") {
                Stage partners;
                partners.selector.reverse_names.emplace().add("mail.example.org");
                candidate.stages.insert(candidate.stages.begin(), partners);
                entry.evidence.iprev = IprevEvidence{};
                CHECK_FALSE(replayed(entry, candidate).has_value());
            }
            SUBCASE("nor where the client is exempt") {
                candidate.exempt_networks = {Prefix::parse("2001:db8::/32").value()};
                CHECK(replayed(entry, candidate).value().exemption == Exemption::network);
            }
            SUBCASE("and it does where it was asked for") {
                c.give(entry.evidence);
                CHECK(replayed(entry, candidate).value().stage == "trial");
                CHECK(replayed(entry, candidate).value().action == Action::reject);
            }
        }
    }
}

TEST_CASE("a name that could not be looked up is replayed as it was judged") {
    Policy candidate = in_mode(Mode::enforce);
    Stage partners;
    partners.name = "partners";
    partners.mode = Mode::enforce;
    partners.selector.reverse_names.emplace().add("mail.example.org");
    candidate.stages.insert(candidate.stages.begin(), partners);
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.iprev = IprevEvidence{};
    const JournalEntry entry = journalled(evidence, candidate);
    CHECK(entry.verdict.action == Action::tempfail);
    CHECK(replayed(entry, candidate) == entry.verdict);
}

TEST_CASE("a check that only the candidate asks for leaves a message unknown") {
    Policy candidate;
    candidate.stages.front().requirements.sender_domain = SenderDomain::reachable;
    JournalEntry entry = journalled(tests::good_evidence(), Policy{});
    CHECK_FALSE(replayed(entry, candidate).has_value());
    entry.evidence.sender_domain = {SenderDomainResult::null_mx, false};
    CHECK(replayed(entry, candidate).value().reason == Reason::sender_domain_null_mx);
}

TEST_CASE("a replay parts the recipients that a closed stage refuses one by one") {
    struct Case {
        const char* name;
        Mode mode;
        std::vector<std::string> recipients;
        std::vector<std::vector<std::string>> parts;
        std::vector<Action> answers;
    };

    const std::string postmaster = "postmaster@example.net";
    const std::string one = "one@example.net";
    const std::string two = "two@example.net";
    const Action accept = Action::accept;
    const Action tempfail = Action::tempfail;
    const std::vector<Case> cases{
        {"all of them", Mode::closed, {one, two}, {{one}, {two}}, {tempfail, tempfail}},
        {"but for who is exempt",
         Mode::closed,
         {one, postmaster, two},
         {{one}, {two}, {postmaster}},
         {tempfail, tempfail, accept}},
        {"who is alone", Mode::closed, {one}, {{one}}, {tempfail}},
        {"who is exempt", Mode::closed, {postmaster}, {{postmaster}}, {accept}},
        {"nobody", Mode::closed, {}, {{}}, {tempfail}},
        {"not where the message is answered", Mode::soft, {one, two}, {{one, two}}, {tempfail}},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            Evidence evidence = tests::unauthenticated_evidence();
            evidence.recipients = c.recipients;
            const Policy policy = in_mode(c.mode);
            CHECK(answers_recipients(policy) == (c.mode == Mode::closed));
            std::vector<std::vector<std::string>> parts;
            std::vector<Action> answers;
            for (const auto& part : parted(journalled(evidence, {}), policy)) {
                parts.push_back(part.evidence.recipients);
                answers.push_back(replayed(part, policy).value().action);
            }
            CHECK(parts == c.parts);
            CHECK(answers == c.answers);
        }
    }
}
