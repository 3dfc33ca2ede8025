#include "policy/replay.hpp"
#include "policy/report.hpp"
#include "tests/policy/report_makers.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using policy::Mode;
using policy::Reason;
using policy::SenderKind;
using tests::evidence_from;
using tests::judged;
using tests::without_name_servers;
using tests::without_ptr;

namespace {

constexpr auto one = "2001:db8:a::1";
constexpr auto two = "2001:db8:a::2";
constexpr auto far = "2001:db8:b::1";

policy::JournalEntry with_recipients(policy::JournalEntry entry, std::vector<std::string> to) {
    entry.evidence.recipients = std::move(to);
    return entry;
}

policy::JournalEntry later(policy::JournalEntry entry, std::chrono::hours by) {
    entry.time += by;
    return entry;
}

policy::Evidence to_postmaster(policy::Evidence evidence) {
    evidence.recipients = {"postmaster@example.net"};
    return evidence;
}

policy::Report report_of(const std::vector<policy::JournalEntry>& entries) {
    policy::ReportMaker maker;
    for (const auto& entry : entries) {
        maker.add(entry);
    }
    return maker.report();
}

policy::Report report_of(const std::vector<policy::JournalEntry>& entries,
                         const policy::Policy& candidate) {
    policy::ReportMaker maker;
    for (const auto& entry : entries) {
        maker.add(entry, policy::replayed(entry, candidate));
    }
    return maker.report();
}

policy::Counts counts_of(const policy::JournalEntry& entry) {
    return report_of({entry}).total.counts;
}

} // namespace

TEST_CASE("report: each message counts as one thing, and with what enforcing would answer") {
    struct Case {
        const char* name;
        policy::JournalEntry entry;
        policy::Counts counts;
    };

    const policy::Answers none{};
    const policy::Answers accepted{1, 0, 0};
    const policy::Answers tempfailed{0, 1, 0};
    const policy::Answers rejected{0, 0, 1};
    const auto enforced = tests::policy_in(Mode::enforce);
    const auto soft = tests::policy_in(Mode::soft);
    const auto closed = tests::policy_in(Mode::closed);
    const std::vector<Case> cases{
        {"passes",
         judged(evidence_from("a.example", one)),
         {1, 1, 0, 0, 0, 0, 0, accepted, accepted, none}},
        {"falls short",
         judged(without_ptr("a.example", one)),
         {1, 0, 1, 0, 0, 0, 1, accepted, rejected, rejected}},
        {"falls short, and was refused for a while",
         judged(without_ptr("a.example", one), soft),
         {1, 0, 1, 0, 0, 0, 1, tempfailed, rejected, rejected}},
        {"falls short, and was refused for good",
         judged(without_ptr("a.example", one), enforced),
         {1, 0, 1, 0, 0, 0, 1, rejected, rejected, none}},
        {"a temporary error",
         judged(without_name_servers("a.example", one)),
         {1, 0, 0, 1, 0, 0, 0, accepted, tempfailed, tempfailed}},
        {"passes, to an exempt recipient",
         judged(to_postmaster(evidence_from("a.example", one))),
         {1, 1, 0, 0, 0, 0, 0, accepted, accepted, none}},
        {"falls short, to an exempt recipient",
         judged(to_postmaster(without_ptr("a.example", one))),
         {1, 0, 0, 0, 1, 0, 0, accepted, accepted, none}},
        {"closed: it was never checked",
         judged(evidence_from("a.example", one), closed),
         {1, 0, 0, 0, 0, 1, 0, tempfailed, none, none}},
        {"closed, but for its recipient: it was checked",
         judged(to_postmaster(evidence_from("a.example", one)), closed),
         {1, 1, 0, 0, 0, 0, 0, accepted, accepted, none}},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            CHECK(counts_of(c.entry) == c.counts);
        }
    }
}

TEST_CASE("report: a candidate's own mode says what is answered") {
    struct Case {
        const char* name;
        policy::JournalEntry entry;
        Mode mode;
        policy::Counts counts;
    };

    const policy::Answers none{};
    const policy::Answers accepted{1, 0, 0};
    const policy::Answers tempfailed{0, 1, 0};
    const policy::Answers rejected{0, 0, 1};
    const auto enforced = tests::policy_in(Mode::enforce);
    policy::JournalEntry closed =
        judged(without_ptr("a.example", one), tests::policy_in(Mode::closed));
    closed.evidence.dkim.reset(); // it was refused at RCPT
    const std::vector<Case> cases{
        {"it enforces",
         judged(without_ptr("a.example", one)),
         Mode::enforce,
         {1, 0, 1, 0, 0, 0, 1, accepted, rejected, rejected}},
        {"it is soft",
         judged(without_ptr("a.example", one)),
         Mode::soft,
         {1, 0, 1, 0, 0, 0, 1, accepted, tempfailed, tempfailed}},
        {"it observes what was refused",
         judged(without_ptr("a.example", one), enforced),
         Mode::observe,
         {1, 0, 1, 0, 0, 0, 0, rejected, accepted, accepted}},
        {"it judges nothing",
         judged(without_ptr("a.example", one), enforced),
         Mode::off,
         {1, 0, 0, 0, 1, 0, 0, rejected, accepted, accepted}},
        {"it cannot tell, as nothing was checked",
         closed,
         Mode::enforce,
         {1, 0, 0, 0, 0, 1, 0, tempfailed, none, none}},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            CHECK(report_of({c.entry}, tests::policy_in(c.mode)).total.counts == c.counts);
        }
    }
}

TEST_CASE("report: what a candidate exempts is not refused") {
    policy::Policy candidate = tests::policy_in(Mode::enforce);
    candidate.exempt_networks = {policy::Prefix::parse("2001:db8:a::/48").value()};
    const auto report = report_of(
        {judged(without_ptr("a.example", one)), judged(without_ptr("a.example", far))}, candidate);
    CHECK(report.total.counts.exempt == 1);
    CHECK(report.total.counts.refused == 1);
    REQUIRE(report.reasons.size() == 1);
    CHECK(report.reasons.front().foretold == policy::Answers{0, 0, 1});
}

TEST_CASE("report: distinct things count once") {
    const auto report = report_of({
        with_recipients(judged(without_ptr("a.example", one)), {"x@example.net", "y@example.net"}),
        with_recipients(judged(without_ptr("a.example", two)), {"X@example.net"}),
        with_recipients(judged(evidence_from("a.example", far)), {"z@example.net"}),
        with_recipients(judged(evidence_from("b.example", one)), {"x@example.net"}),
    });

    CHECK(report.total.clients == 3);
    CHECK(report.total.recipients == 3);
    CHECK(report.total.refused_recipients == 2);
    CHECK(report.all_sender_domains == 2);
    CHECK(report.all_networks == 2);
    CHECK(report.refused_sender_domains == 1);
    CHECK(report.refused_networks == 1);

    REQUIRE(report.sender_domains.size() == 2);
    const auto& a = report.sender_domains.front();
    CHECK(a.sender_domain == policy::SendingDomain{false, "a.example"});
    CHECK(a.group.counts.messages == 3);
    CHECK(a.group.counts.refused == 2);
    CHECK(a.group.clients == 3);
    CHECK(a.networks == 2);
    CHECK(a.group.recipients == 3);
    CHECK(a.group.refused_recipients == 2);

    REQUIRE(report.client_networks.size() == 2);
    const auto& network = report.client_networks.front();
    CHECK(network.network.to_string() == "2001:db8:a::/64");
    CHECK(network.group.counts.messages == 3);
    CHECK(network.sender_domains == 2);
    CHECK(network.group.clients == 2);
}

TEST_CASE("report: sender domains stand in order of harm") {
    const auto passing = [](const char* domain) { return judged(evidence_from(domain, one)); };
    const auto refused = [](const char* domain, const char* to) {
        return with_recipients(judged(without_ptr(domain, one)), {to});
    };
    const auto report = report_of({
        passing("quiet.example"),
        passing("loud.example"),
        passing("loud.example"),
        judged(without_name_servers("slow.example", one)),
        refused("one-reader.example", "x@example.net"),
        refused("one-reader.example", "x@example.net"),
        refused("two-readers.example", "x@example.net"),
        refused("two-readers.example", "y@example.net"),
        refused("most.example", "x@example.net"),
        refused("most.example", "x@example.net"),
        refused("most.example", "x@example.net"),
        refused("equal.example", "x@example.net"),
        refused("another.example", "x@example.net"),
    });
    std::vector<std::string> names;
    for (const auto& row : report.sender_domains) {
        names.push_back(row.sender_domain.domain);
    }
    CHECK(names == std::vector<std::string>{"most.example",
                                            "two-readers.example",
                                            "one-reader.example",
                                            "another.example",
                                            "equal.example",
                                            "slow.example",
                                            "loud.example",
                                            "quiet.example"});
}

TEST_CASE("report: the null path goes by the client's domain") {
    policy::Evidence bounce = evidence_from("", one);
    bounce.mail_from.clear();
    bounce.spf_mail_from.reset();
    bounce.helo = "Relay.example.com";
    policy::Evidence unnamed = bounce;
    unnamed.iprev = policy::IprevEvidence{policy::IprevResult::permerror, {}};

    const auto report = report_of({judged(bounce), judged(unnamed)});
    REQUIRE(report.sender_domains.size() == 2);
    CHECK(report.sender_domains[0].sender_domain == policy::SendingDomain{true, "example.com"});
    CHECK(report.sender_domains[0].group.kind == SenderKind::null_path);
    CHECK(report.sender_domains[1].sender_domain == policy::SendingDomain{true, "example.org"});
}

TEST_CASE("report: the fault is the most frequent one of what is refused") {
    policy::Evidence mismatch = evidence_from("a.example", two);
    mismatch.iprev = tests::iprev_fail();
    const auto report = report_of({
        judged(mismatch),
        judged(without_ptr("a.example", one)),
        judged(without_ptr("a.example", one)),
        judged(without_name_servers("a.example", one)),
        judged(without_name_servers("a.example", one)),
        judged(without_name_servers("a.example", one)),
        judged(without_name_servers("slow.example", one)),
        judged(evidence_from("good.example", one)),
    });
    REQUIRE(report.sender_domains.size() == 3);

    const auto& fault = report.sender_domains[0].group.fault;
    REQUIRE(fault);
    CHECK(fault->reason == Reason::reverse_name_missing);
    CHECK(fault->messages == 2);
    CHECK(fault->found == "no PTR record");
    REQUIRE(fault->remedy.size() == 2);
    CHECK(fault->remedy[1] == "mail.a.example. AAAA 2001:db8:a::1");

    const auto& temporary = report.sender_domains[1].group.fault;
    REQUIRE(temporary);
    CHECK(temporary->reason == Reason::reverse_name_temperror);
    CHECK_FALSE(report.sender_domains[2].group.fault);
}

TEST_CASE("report: a remedy names only hosts of the kind that it is for") {
    struct Case {
        const char* name;
        SenderKind kind;
        policy::Evidence many;
        policy::Evidence fewer; // with the same fault
        const char* remedy;
    };

    const auto forwarded = [](policy::Evidence evidence) {
        evidence.is_forwarded = true;
        return evidence;
    };
    const auto unauthenticated = [](const char* address) {
        policy::Evidence evidence = tests::unauthenticated_evidence();
        evidence.client = policy::Address::parse(address).value();
        return evidence;
    };
    const std::vector<Case> cases{
        {"own and strangers",
         SenderKind::own_range,
         without_ptr("a.example", "fd00::1"),
         without_ptr("a.example", one),
         "If these hosts are yours: [exempt] networks = [\"fd00::1\"]"},
        {"strangers and own",
         SenderKind::direct,
         without_ptr("a.example", one),
         without_ptr("a.example", "fd00::1"),
         "mail.a.example. AAAA 2001:db8:a::1"},
        {"forwarders and others",
         SenderKind::forwarded,
         forwarded(unauthenticated(one)),
         unauthenticated(far),
         "Or, where it forwards for your own users: [exempt] networks = [\"2001:db8:a::1\"]"},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            // The fewer come first, where an example would be taken.
            const auto report = report_of({judged(c.fewer), judged(c.many), judged(c.many)});
            const auto& fault = report.total.fault;
            REQUIRE(fault);
            CHECK(fault->messages == 3);
            CHECK(fault->kind == c.kind);
            REQUIRE_FALSE(fault->remedy.empty());
            CHECK(fault->remedy.back() == c.remedy);
        }
    }
}

TEST_CASE("report: the kind is that of what is refused") {
    policy::Evidence forwarded = without_ptr("a.example", one);
    forwarded.is_forwarded = true;
    const auto direct = judged(evidence_from("a.example", one));
    const auto report = report_of({direct, direct, judged(forwarded)});
    CHECK(report.sender_domains.front().group.kind == SenderKind::forwarded);
}

TEST_CASE("report: reasons, the most frequent first") {
    const auto report = report_of({
        judged(without_ptr("a.example", one)),
        judged(without_ptr("b.example", one)),
        judged(to_postmaster(without_ptr("b.example", one))),
        judged(without_name_servers("a.example", one)),
        judged(tests::unauthenticated_evidence()),
        judged(tests::unauthenticated_evidence()),
        judged(tests::good_evidence()),
    });
    REQUIRE(report.reasons.size() == 3);
    CHECK(report.reasons[0].reason == Reason::reverse_name_missing);
    CHECK(report.reasons[0].exempt == 1);
    CHECK(report.reasons[0].foretold == policy::Answers{0, 0, 2});
    CHECK(report.reasons[0].sender_domains == 2);
    CHECK(report.reasons[1].reason == Reason::unauthenticated);
    CHECK(report.reasons[1].foretold == policy::Answers{0, 0, 2});
    CHECK(report.reasons[1].sender_domains == 1);
    CHECK(report.reasons[2].reason == Reason::reverse_name_temperror);
    CHECK(report.reasons[2].foretold == policy::Answers{0, 1, 0});
}

TEST_CASE("report: each message is in the row of its stage, the largest first") {
    const auto partner = [](const policy::Evidence& evidence) {
        return judged(evidence, tests::partners_first(Mode::enforce));
    };
    const auto report = report_of({
        partner(without_ptr("partner.example", one)),
        partner(evidence_from("partner.example", one)),
        partner(evidence_from("partner.example", two)),
        partner(evidence_from("world.example", far)),
        partner(without_ptr("bad.example", far)),
        partner(without_ptr("bad.example", far)),
        partner(to_postmaster(without_ptr("bad.example", far))),
    });
    REQUIRE(report.stages.size() == 2);
    CHECK(report.stages[0].stage == "default");
    CHECK(report.stages[0].counts ==
          policy::Counts{4, 1, 2, 0, 1, 0, 2, {4, 0, 0}, {2, 0, 2}, {0, 0, 2}});
    CHECK(report.stages[0].sender_domains == 2);
    CHECK(report.stages[1].stage == "partners");
    CHECK(report.stages[1].counts ==
          policy::Counts{3, 2, 1, 0, 0, 0, 1, {2, 0, 1}, {2, 0, 1}, {0, 0, 0}});
    CHECK(report.stages[1].sender_domains == 1);
    CHECK(report.stage_changes.empty());
}

TEST_CASE("report: what a candidate puts under another stage") {
    const auto was = tests::partners_first(Mode::enforce);
    policy::Policy candidate = tests::partners_first(Mode::soft);
    candidate.stages.front().name = "friends";
    candidate.exempt_networks = {policy::Prefix::parse("2001:db8:e::/48").value()};
    policy::Stage trial;
    trial.name = "trial";
    trial.mode = Mode::enforce;
    trial.selector.percent = 50;
    candidate.stages.insert(candidate.stages.begin() + 1, trial);

    const auto at = [](policy::Evidence evidence, double percentile) {
        evidence.percentile = percentile;
        return evidence;
    };
    const auto report = report_of(
        {
            judged(at(without_ptr("partner.example", one), 90), was),
            judged(at(evidence_from("partner.example", one), 90), was),
            judged(at(without_ptr("bad.example", far), 10), was),
            judged(at(without_ptr("worse.example", far), 10), was),
            judged(at(evidence_from("world.example", far), 49.9), was),
            judged(at(evidence_from("other.example", far), 50), was),
            judged(at(evidence_from("ours.example", "2001:db8:e::1"), 10), was),
            judged(evidence_from("old.example", far), was), // of before there were percentiles
        },
        candidate);

    struct Row {
        const char* stage;
        policy::Counts counts;
    };

    const std::vector<Row> rows{
        {"trial", {3, 1, 2, 0, 0, 0, 2, {3, 0, 0}, {1, 0, 2}, {0, 0, 2}}},
        {"", {2, 0, 0, 0, 1, 1, 0, {2, 0, 0}, {1, 0, 0}, {0, 0, 0}}},
        {"friends", {2, 1, 1, 0, 0, 0, 1, {1, 0, 1}, {1, 1, 0}, {0, 1, 0}}},
        {"default", {1, 1, 0, 0, 0, 0, 0, {1, 0, 0}, {1, 0, 0}, {0, 0, 0}}},
    };
    REQUIRE(report.stages.size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CAPTURE(std::string{rows[i].stage});
        CHECK(report.stages[i].stage == rows[i].stage);
        CHECK(report.stages[i].counts == rows[i].counts);
    }
    REQUIRE(report.stage_changes.size() == 3);
    const auto& first = report.stage_changes[0];
    CHECK(std::pair{first.from, first.to} ==
          std::pair<std::string, std::string>{"default", "trial"});
    CHECK(first.messages == 3);
    CHECK(first.changed == policy::Answers{0, 0, 2});
    CHECK(first.sender_domains == 3);
    const auto& second = report.stage_changes[1];
    CHECK(std::pair{second.from, second.to} ==
          std::pair<std::string, std::string>{"partners", "friends"});
    CHECK(second.messages == 2);
    CHECK(second.changed == policy::Answers{0, 1, 0});
    CHECK(second.sender_domains == 1);
    CHECK(report.stage_changes[2].to.empty());
    CHECK(report.stage_changes[2].messages == 1);
}

TEST_CASE("report: days in UTC, and the first and last of a group") {
    const auto report = report_of({
        later(judged(without_ptr("a.example", one)), 12h),
        judged(evidence_from("a.example", one)),
        later(judged(evidence_from("a.example", one)), 36h - 1h),
    });
    REQUIRE(report.days.size() == 2);
    CHECK(report.days[0].day == std::chrono::floor<std::chrono::days>(tests::first_noon));
    CHECK(report.days[0].counts.messages == 1);
    CHECK(report.days[0].counts.passing == 1);
    CHECK(report.days[1].counts.messages == 2);
    CHECK(report.days[1].counts.refused == 1);
    CHECK(report.total.first == tests::first_noon);
    CHECK(report.total.last == tests::first_noon + 35h);
}

TEST_CASE("report: what strangers vary without end is counted by its reason") {
    policy::ReportMaker maker;
    for (int i = 0; i < 1'000; ++i) {
        policy::Evidence evidence = evidence_from("a.example", one);
        evidence.iprev = tests::iprev_fail();
        evidence.iprev->names.front().name = "host" + std::to_string(i) + ".example.org";
        maker.add(judged(evidence));
    }
    const auto report = maker.report();
    REQUIRE(report.sender_domains.front().group.fault);
    CHECK(report.sender_domains.front().group.fault->messages == 1'000);
}

TEST_CASE("report: senders without end take no room from those who send often") {
    constexpr std::uint64_t strangers = 2'000;
    constexpr std::uint64_t partner = 100;
    policy::ReportMaker maker{std::size_t{512} << 10U};
    for (std::uint64_t i = 0; i < strangers; ++i) {
        const std::string number = std::to_string(i);
        const std::string network = "2001:db8:" + number + "::1";
        maker.add(with_recipients(judged(without_ptr("d" + number + ".example", network)),
                                  {"x" + number + "@example.net"}));
        if (i % (strangers / partner) == 0) {
            maker.add(judged(without_ptr("partner.example", "2001:db8:ffff::1")));
            maker.add(judged(evidence_from("partner.example", "2001:db8:ffff::2")));
        }
    }
    const auto report = maker.report();
    CHECK(report.sender_domains.size() < strangers / 4);
    CHECK(report.client_networks.size() < strangers / 4);

    const auto& worst = report.sender_domains.front();
    CHECK(worst.sender_domain.domain == "partner.example");
    CHECK(worst.group.counts.messages == 2 * partner);
    CHECK(worst.group.counts.refused == partner);
    CHECK(worst.group.clients == 2);
    CHECK(report.client_networks.front().group.counts.refused == partner);

    CHECK(report.total.counts.refused == strangers + partner);
    CHECK(report.total.recipients == strangers + 1);
    CHECK(report.all_sender_domains == strangers + 1);
    CHECK(report.refused_sender_domains == strangers + 1);
    CHECK(report.all_networks == strangers + 1);
    CHECK(report.refused_networks == strangers + 1);
    REQUIRE(report.reasons.size() == 1);
    CHECK(report.reasons.front().sender_domains == strangers + 1);
}

TEST_CASE("report: what was refused unchecked is in nobody's way") {
    const auto report =
        report_of({judged(without_ptr("a.example", one), tests::policy_in(Mode::closed))});
    CHECK(report.reasons.empty());
    CHECK(report.refused_sender_domains == 0);
    CHECK_FALSE(report.sender_domains.front().group.fault);
}

TEST_CASE("report: nothing adds up to nothing") {
    const auto report = report_of({});
    CHECK(report.total.counts == policy::Counts{});
    CHECK(report.sender_domains.empty());
    CHECK(report.days.empty());
}

TEST_CASE("report: a fault has the hints of its messages") {
    const auto fault_of = [](const policy::Evidence& evidence) {
        return report_of({judged(evidence)}).total.fault.value();
    };
    CHECK(fault_of(without_ptr("a.example", one)).hints.empty());
    CHECK(fault_of(without_ptr("a.example", "2002:c000:201::1")).hints ==
          std::vector<std::string>{"2002:c000:201::1 is a 6to4 address: a mail host needs an IPv6 "
                                   "address of its network."});
}
