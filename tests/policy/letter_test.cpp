#include "policy/letter.hpp"
#include "tests/policy/report_makers.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using policy::LetterFacts;
using policy::LetterMaker;
using policy::Reason;

namespace {

namespace of_letters {

const policy::Policy observing = tests::policy_in(policy::Mode::observe);

LetterFacts facts_on(const std::vector<policy::JournalEntry>& entries,
                     const policy::Policy& policy = observing) {
    LetterMaker maker{policy};
    for (const auto& entry : entries) {
        maker.add(entry);
    }
    return maker.facts();
}

policy::JournalEntry at(policy::Evidence evidence, int hours) {
    policy::JournalEntry entry = tests::judged(std::move(evidence));
    entry.time += std::chrono::hours{hours};
    entry.evidence.time = entry.time;
    entry.evidence.percentile = 50;
    return entry;
}

} // namespace of_letters

} // namespace

TEST_CASE("letter: mail of a domain is that of names below it, and bounces by the host's name") {
    struct Case {
        const char* name;
        const char* mail_from_domain; // empty: the null path
        bool is_of_domain;
    };

    const std::vector<Case> cases{
        {"the domain", "example.com", true},
        {"in capitals", "EXAMPLE.com", true},
        {"below it", "news.example.com", true},
        {"ends alike", "badexample.com", false},
        {"above it", "com", false},
        {"another", "example.org", false},
        {"a bounce of its host", "", true},
    };
    for (const auto& each : cases) {
        CAPTURE(each.name);
        policy::Evidence evidence = tests::without_ptr(each.mail_from_domain, "2001:db8:5::5");
        evidence.helo = "mail.example.com";
        if (evidence.mail_from_domain.empty()) {
            evidence.mail_from.clear();
        }
        CHECK(policy::is_mail_of(tests::judged(evidence), "example.com") == each.is_of_domain);
    }
}

TEST_CASE("letter: what falls short is counted, and told host by host") {
    using of_letters::at;
    const auto bare = tests::without_ptr("example.com", "2001:db8:5::5");
    auto other = tests::without_ptr("example.com", "2001:db8:5::6");
    other.helo = "other.example.com";
    auto refused = at(bare, 3);
    refused.reply = policy::ReplyCode{450, "4.7.25"};
    const auto facts =
        of_letters::facts_on({at(tests::evidence_from("example.com", "2001:db8::1"), 9),
                              at(bare, 2),
                              refused,
                              at(other, 1),
                              at(tests::without_name_servers("example.com", "::2"), 0)});
    CHECK(facts.messages == 5);
    CHECK(facts.short_ones == 3);
    CHECK(facts.refused == 1);
    CHECK(facts.first == tests::first_noon + std::chrono::hours{1});
    CHECK(facts.last == tests::first_noon + std::chrono::hours{3});
    REQUIRE(facts.findings.size() == 2);
    CHECK(facts.findings[0].messages == 2);
    CHECK(facts.findings[0].found() == "no PTR record");
    CHECK(facts.findings[0].all_clients == 1);
    CHECK(facts.findings[1].remedy().at(1) == "other.example.com. AAAA 2001:db8:5::6");
}

TEST_CASE("letter: a message with two faults is told of both") {
    policy::Evidence evidence = tests::without_ptr("example.com", "2001:db8:5::5");
    evidence.spf_mail_from = tests::spf(policy::SpfResult::none);
    evidence.dkim->clear();
    const auto facts = of_letters::facts_on({of_letters::at(evidence, 0)});
    CHECK(facts.short_ones == 1);
    REQUIRE(facts.findings.size() == 2);
    CHECK(facts.findings[0].reason != facts.findings[1].reason);
}

TEST_CASE("letter: of many addresses a few are named and all counted") {
    std::vector<policy::JournalEntry> entries;
    for (int i = 1; i <= 20; ++i) {
        auto evidence = tests::without_ptr("example.com", "2001:db8:5::" + std::to_string(i));
        evidence.helo = "localhost";
        entries.push_back(of_letters::at(evidence, i));
    }
    const auto facts = of_letters::facts_on(entries);
    REQUIRE(facts.findings.size() == 1);
    CHECK(facts.findings[0].messages == 20);
    CHECK(facts.findings[0].clients.size() == 8);
    CHECK(facts.findings[0].all_clients == 20);
}

TEST_CASE("letter: hosts of our own and forwarders of our users are no partner's to mend") {
    const auto own = of_letters::at(tests::without_ptr("example.com", "fd00::1"), 0);
    const auto facts = of_letters::facts_on({own});
    CHECK(facts.own == 1);
    CHECK(facts.messages == 0);
    CHECK(facts.findings.empty());

    policy::Evidence forwarded = tests::unauthenticated_evidence();
    forwarded.is_forwarded = true;
    const auto told = of_letters::facts_on({of_letters::at(forwarded, 0)});
    REQUIRE(told.findings.size() == 1);
    const auto remedy = told.findings[0].remedy();
    REQUIRE(remedy.size() == 1);
    CHECK(remedy[0].starts_with("At the forwarder"));
}

TEST_CASE("letter: the day is the first on which a stage refuses what was seen") {
    using std::chrono::days;
    const auto facts = of_letters::facts_on(
        {of_letters::at(tests::without_ptr("example.com", "2001:db8:5::5"), 0)});
    const auto now = tests::first_noon;
    const auto begins = [&](policy::Mode mode, days from, const char* network) {
        policy::Policy policy = tests::partners_first(mode);
        policy.stages.front().selector.networks =
            policy::PrefixSet{{policy::Prefix::parse(network).value()}};
        policy.stages.front().selector.from = now + from;
        return policy::refused_from(facts, policy, now);
    };
    CHECK(begins(policy::Mode::enforce, days{9}, "2001:db8:5::/48") == now + days{9});
    CHECK(begins(policy::Mode::soft, days{9}, "2001:db8:5::/48") == now + days{9});
    CHECK_FALSE(begins(policy::Mode::tag, days{9}, "2001:db8:5::/48"));
    CHECK_FALSE(begins(policy::Mode::enforce, days{9}, "2001:db8:6::/48"));
    CHECK(begins(policy::Mode::enforce, days{-9}, "2001:db8:5::/48") == now);
    CHECK_FALSE(policy::refused_from(facts, of_letters::observing, now));
}
