#include "policy/letter.hpp"
#include "tests/policy/report_makers.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using policy::LetterFacts;
using policy::LetterMaker;

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
    CHECK(facts.findings[0].remedy().back() == "Likewise for 12 more that are not named here.");
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

TEST_CASE("letter: whoever forges the domain is not told among its own hosts") {
    using of_letters::at;
    const auto unlisted = [](const char* address, const char* name, int hours) {
        policy::Evidence evidence = tests::evidence_from("example.com", address);
        evidence.spf_mail_from = tests::spf(policy::SpfResult::fail);
        evidence.spf_mail_from->domain = "example.com";
        evidence.dkim->clear();
        evidence.iprev = {policy::IprevResult::pass,
                          {{name, policy::NameOutcome::leads_back, {*evidence.client}}}};
        return at(evidence, hours);
    };
    const auto facts = of_letters::facts_on({unlisted("2001:db8:66::1", "a.spam.example", 0),
                                             unlisted("2001:db8:66::2", "b.spam.example", 1),
                                             unlisted("2001:db8:66::2", "b.spam.example", 2),
                                             unlisted("2001:db8:77::1", "host.other.example", 3),
                                             unlisted("2001:db8:5::5", "mx1.example.com", 4),
                                             unlisted("2001:db8:5::6", "mx2.example.com", 5)});
    REQUIRE(facts.findings.size() == 3);
    const auto& own = facts.findings[0]; // though most of it is forged
    CHECK(own.is_of_domain);
    CHECK(own.remedy().at(0).starts_with("ip6:2001:db8:5::5 ip6:2001:db8:5::6 added to "));
    for (std::size_t i = 1; i < 3; ++i) {
        CAPTURE(i);
        CHECK_FALSE(facts.findings[i].is_of_domain);
        CHECK(facts.findings[i].remedy().at(0).find("of example.com: ip6:") != std::string::npos);
    }
    CHECK(facts.findings[1].messages == 3);
    CHECK(facts.findings[1].all_clients == 2);
    CHECK(facts.findings[1].remedy().at(0).starts_with("For those that are hosts of example.com"));
}

TEST_CASE("letter: strangers take no room from the domain's own hosts") {
    std::vector<policy::JournalEntry> entries;
    for (int i = 1; i <= 100; ++i) {
        auto stranger = tests::without_ptr("example.com", "2001:db8:66::" + std::to_string(i));
        stranger.spf_mail_from = tests::spf(policy::SpfResult::softfail);
        stranger.helo = "host" + std::to_string(i) + ".spam.example";
        entries.push_back(of_letters::at(stranger, i));
    }
    entries.push_back(of_letters::at(tests::without_ptr("example.com", "2001:db8:5::5"), 101));
    const auto facts = of_letters::facts_on(entries);
    CHECK(facts.short_ones == 101);
    REQUIRE(facts.findings.size() == 33);
    CHECK(facts.findings[0].is_of_domain);
    CHECK(facts.untold == 68);
}

TEST_CASE("letter: what the stage does not count does not read pass") {
    policy::Policy policy = of_letters::observing;
    policy.stages.front().requirements.count_wide_spf = false;
    auto evidence = tests::evidence_from("example.com", "2001:db8:5::5");
    evidence.spf_mail_from->is_wide = true;
    evidence.dkim->clear();
    const auto facts = of_letters::facts_on({of_letters::at(evidence, 0)}, policy);
    REQUIRE(facts.findings.size() == 1);
    CHECK(facts.findings[0].found().starts_with("SPF policy for "));
    CHECK(facts.findings[0].remedy().at(0).find("DKIM signatures that pass.") == std::string::npos);
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
        return policy::worse_from(facts, policy, now);
    };
    CHECK(begins(policy::Mode::enforce, days{9}, "2001:db8:5::/48") == now + days{9});
    CHECK(begins(policy::Mode::soft, days{9}, "2001:db8:5::/48") == now + days{9});
    CHECK_FALSE(begins(policy::Mode::tag, days{9}, "2001:db8:5::/48"));
    CHECK_FALSE(begins(policy::Mode::enforce, days{9}, "2001:db8:6::/48"));
    CHECK_FALSE(begins(policy::Mode::enforce, days{-9}, "2001:db8:5::/48")); // it has come
    CHECK_FALSE(policy::worse_from(facts, of_letters::observing, now));
}

TEST_CASE("letter: the day on which a milder stage ends, or its grace is used up, is one, too") {
    using std::chrono::days;
    const auto now = tests::first_noon;
    const auto bare = of_letters::at(tests::without_ptr("example.com", "2001:db8:5::5"), 0);
    const auto facts = of_letters::facts_on({bare});

    policy::Policy ending = tests::policy_in(policy::Mode::enforce);
    policy::Stage mild;
    mild.name = "mild";
    mild.mode = policy::Mode::observe;
    mild.selector.until = now + days{5};
    ending.stages.insert(ending.stages.begin(), mild);
    CHECK(policy::worse_from(facts, ending, now) == now + days{5});
    ending.stages.front().mode = policy::Mode::soft; // from putting off to refusing
    CHECK(policy::worse_from(facts, ending, now) == now + days{5});

    policy::Policy soft = tests::policy_in(policy::Mode::soft);
    CHECK_FALSE(policy::worse_from(facts, soft, now));
    soft.stages.front().grace = policy::Grace{3, days{7}, policy::AfterGrace::enforce};
    CHECK(policy::worse_from(facts, soft, now) == now + days{7});

    auto told = of_letters::at(tests::without_ptr("example.com", "2001:db8:5::5"), 1);
    told.evidence.grace = policy::GraceEvidence{now - days{3}, 1, now + days{4}};
    CHECK(policy::worse_from(of_letters::facts_on({told, bare}), soft, now) == now + days{4});
    CHECK(policy::worse_from(of_letters::facts_on({bare, told}), soft, now) == now + days{4});
    soft.stages.front().grace->then = policy::AfterGrace::tag;
    CHECK_FALSE(policy::worse_from(facts, soft, now));
}

TEST_CASE("letter: grace ends at the end of a minute, and at once where only tries are left") {
    using std::chrono::days;
    using std::chrono::minutes;
    const auto now = tests::first_noon + std::chrono::milliseconds{30'001};
    const auto bare = of_letters::at(tests::without_ptr("example.com", "2001:db8:5::5"), 0);
    policy::Policy soft = tests::policy_in(policy::Mode::soft);
    soft.stages.front().grace = policy::Grace{3, days{7}, policy::AfterGrace::enforce};
    const auto worse_from = [&](const std::vector<policy::JournalEntry>& entries) {
        return policy::worse_from(of_letters::facts_on(entries), soft, now);
    };
    CHECK(worse_from({bare}) == tests::first_noon + days{7} + minutes{1});

    const auto told = [&](days from, const char* client) {
        auto entry = of_letters::at(tests::without_ptr("example.com", client), 1);
        entry.evidence.grace = policy::GraceEvidence{now - days{7} + from, 1, now + from};
        return entry;
    };
    CHECK(worse_from({told(days{4}, "2001:db8:5::5")}) == tests::first_noon + days{4} + minutes{1});
    CHECK(worse_from({told(days{-1}, "2001:db8:5::5")}) == now);
    // Of two hosts the one that is refused first; of one host what it was told last.
    CHECK(worse_from({told(days{2}, "2001:db8:5::5"), told(days{4}, "2001:db8:5:1::5")}) ==
          tests::first_noon + days{2} + minutes{1});
    auto anew = told(days{6}, "2001:db8:5::5");
    anew.time += days{1};
    CHECK(worse_from({anew, told(days{2}, "2001:db8:5::5")}) ==
          tests::first_noon + days{6} + minutes{1});
}
