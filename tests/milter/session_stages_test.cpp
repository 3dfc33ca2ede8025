// What a session makes of stages: when it answers, what it asks DNS for, which recipients it parts.
#include "milter/rollout.hpp"
#include "policy/stage_choice.hpp"
#include "tests/milter/session_scene.hpp"
#include "tests/policy/stage_makers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using milter::Answer;
using milter::Session;
using policy::Mode;
using tests::bad_client;
using tests::good_client;
using tests::Scene;
using tests::silent;
using tests::stage;

namespace {

constexpr Session::Answers answers{};

policy::Selector networks(const std::string& prefix) {
    policy::Selector selector;
    selector.networks = tests::prefixes({prefix});
    return selector;
}

policy::Selector to(const std::string& recipient) {
    policy::Selector selector;
    selector.recipients = tests::recipients({recipient});
    return selector;
}

// A session before these stages, the last of them for everybody.
class StagedScene : public Scene {
public:
    explicit StagedScene(std::vector<policy::Stage> stages, Session::Answers at = answers)
        : Scene{Mode::observe, at} {
        config.policy.stages = std::move(stages);
        apply();
    }
};

policy::Stage closed_at_helo() {
    policy::Stage closed = stage("world", Mode::closed);
    closed.closed_at = policy::ClosedAt::helo;
    return closed;
}

std::string code_of(const Scene& scene) {
    return scene.mta.reply ? scene.mta.reply->code.to_string() : "";
}

} // namespace

TEST_CASE("a stage for partners lets them in where the world is closed") {
    StagedScene scene{{stage("partners", Mode::enforce, networks("2001:db8:5::/48")),
                       stage("world", Mode::closed)}};
    scene.connect(good_client);
    CHECK(scene.send() == Answer::proceed);
    CHECK(scene.session.outcome()->verdict.stage == "partners");

    StagedScene other{{stage("partners", Mode::enforce, networks("2001:db8:6::/48")),
                       stage("world", Mode::closed)}};
    other.connect(good_client);
    CHECK(other.send() == Answer::tempfail);
    CHECK(code_of(other) == "451 4.7.1");
    CHECK(other.resolver->asked.empty()); // nobody who is not let in costs DNS
}

TEST_CASE("closed at HELO answers there, and only there where the stage is known") {
    StagedScene scene{{closed_at_helo()}};
    scene.connect(good_client);
    CHECK(scene.session.helo("mail.example.org") == Answer::tempfail);
    CHECK(code_of(scene) == "421 4.7.1");

    StagedScene by_recipient{
        {stage("willing", Mode::observe, to("*@example.net")), closed_at_helo()}};
    by_recipient.connect(good_client);
    CHECK(by_recipient.session.helo("mail.example.org") == Answer::proceed);
    CHECK(by_recipient.send() == Answer::proceed);
    CHECK(by_recipient.send({}, "<user@example.org>", "<a@example.com>") == Answer::tempfail);
    CHECK(code_of(by_recipient) == "451 4.7.1"); // too late to end the connection

    StagedScene silent_mta{{closed_at_helo()}, silent};
    silent_mta.connect(good_client);
    CHECK(silent_mta.session.helo("mail.example.org") == Answer::proceed);
    CHECK(silent_mta.send() == Answer::tempfail); // at the end then

    policy::Stage for_good = closed_at_helo();
    for_good.replies = policy::replies_of(policy::Profile::eop);
    StagedScene eop{{for_good}};
    eop.connect(good_client);
    CHECK(eop.session.helo("mail.example.org") == Answer::proceed);
    CHECK(eop.send() == Answer::reject); // naming the recipient's domain

    StagedScene local{{closed_at_helo()}};
    local.connect("::1");
    CHECK(local.session.helo("localhost") == Answer::proceed);
}

TEST_CASE("recipients of different stages come apart") {
    StagedScene scene{
        {stage("willing", Mode::enforce, to("*@example.net")), stage("rest", Mode::observe)}};
    scene.connect(bad_client);
    scene.session.helo("x.example.org");
    scene.session.mail("<user@other.example>");
    CHECK(scene.session.rcpt("<a@example.com>") == Answer::proceed);
    CHECK(scene.session.rcpt("<a@example.net>") == Answer::tempfail);
    CHECK(code_of(scene) == "452 4.5.3");
    CHECK(scene.session.rcpt("<b@example.com>") == Answer::proceed);
    CHECK(scene.finish() == Answer::proceed);
    scene.session.mail("<user@other.example>");
    CHECK(scene.session.rcpt("<a@example.net>") == Answer::proceed); // first of its own message
    CHECK(scene.finish() == Answer::reject);
    CHECK(scene.session.outcome()->verdict.stage == "willing");
}

TEST_CASE("or the strictest stage holds for all, so that nobody gets around it") {
    for (const auto at : {answers, silent}) {
        StagedScene scene{
            {stage("willing", Mode::enforce, to("*@example.net")), stage("rest", Mode::observe)},
            at};
        scene.config.policy.mixed_recipients = policy::MixedRecipients::strictest;
        scene.apply();
        scene.connect(bad_client);
        scene.session.helo("x.example.org");
        scene.session.mail("<user@other.example>");
        CHECK(scene.session.rcpt("<a@example.com>") == Answer::proceed);
        CHECK(scene.session.rcpt("<a@example.net>") == Answer::proceed);
        CHECK(scene.finish() == Answer::reject);
    }
}

TEST_CASE("a probe is answered at the end, in every mode, and never goes on") {
    for (const Mode mode : {Mode::off, Mode::observe, Mode::closed}) {
        CAPTURE(policy::to_string(mode));
        StagedScene scene{{stage("world", mode)}};
        scene.config.policy.probe_recipients = tests::recipients({"test@example.net"});
        scene.apply();
        scene.connect(good_client);
        CHECK(scene.send({}, "<user@example.org>", "<test@example.net>") == Answer::reject);
        CHECK(code_of(scene) == "550 5.7.0");
        CHECK(scene.mta.reply->lines.front().find("passed") != std::string::npos);
    }
}

TEST_CASE("a probe over IPv4 is answered, and asks DNS for nothing") {
    StagedScene scene{{stage("world", Mode::enforce)}};
    scene.config.policy.probe_recipients = tests::recipients({"test@example.net"});
    scene.config.milter.authserv_id.clear(); // nothing else is to be done for it
    scene.apply();
    CHECK(scene.connect("192.0.2.1") == Answer::proceed);
    CHECK(scene.send({}, "<user@example.org>", "<test@example.net>") == Answer::reject);
    CHECK(scene.mta.reply->lines.front().find("over IPv4") != std::string::npos);
    CHECK(scene.send() == Answer::proceed);
    CHECK(scene.resolver->asked.empty());
}

TEST_CASE("a network gets so many probes answered an hour") {
    StagedScene scene{{stage("world", Mode::observe)}};
    scene.config.policy.probe_recipients = tests::recipients({"test@example.net"});
    scene.apply();
    scene.connect(good_client);
    for (unsigned i = 0; i < milter::ProbeLimit::most_an_hour; ++i) {
        CHECK(scene.send({}, "<user@example.org>", "<test@example.net>") == Answer::reject);
    }
    CHECK(scene.send({}, "<user@example.org>", "<test@example.net>") == Answer::tempfail);
    CHECK(code_of(scene) == "450 4.7.0");
    CHECK(scene.send() == Answer::proceed); // and its mail goes on
}

TEST_CASE("probe limit: by network and hour, and bounded") {
    using namespace std::chrono_literals;
    milter::ProbeLimit limit;
    const policy::Time now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}};
    const auto client = policy::Address::parse(good_client).value();
    for (unsigned i = 0; i < milter::ProbeLimit::most_an_hour; ++i) {
        CHECK(limit.allows(client, now));
    }
    CHECK_FALSE(limit.allows(policy::Address::parse("2001:db8:5::6").value(), now)); // its /64
    CHECK(limit.allows(policy::Address::parse("2001:db8:5:1::5").value(), now));
    CHECK_FALSE(limit.allows(client, now + 59min));
    CHECK(limit.allows(client, now + 60min));
    CHECK(limit.allows(client, now - 1h)); // a clock that was set back locks nobody out
    std::size_t allowed = 0;
    for (std::size_t i = 0; i < milter::ProbeLimit::most_networks + 100; ++i) {
        policy::Address::Bytes bytes{0x20, 0x02};
        bytes.at(3) = static_cast<std::uint8_t>(i >> 16U);
        bytes.at(4) = static_cast<std::uint8_t>(i >> 8U);
        bytes.at(5) = static_cast<std::uint8_t>(i);
        allowed += limit.allows(policy::Address{bytes}, now) ? 1U : 0U;
    }
    CHECK(allowed == milter::ProbeLimit::most_networks);
}

TEST_CASE("probe limit: the holder of a /48 takes no room from others") {
    milter::ProbeLimit limit;
    const policy::Time now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}};
    unsigned allowed = 0;
    for (unsigned i = 0; i < 10'000; ++i) {
        policy::Address::Bytes bytes{0x20, 0x01, 0x0d, 0xb9};
        bytes.at(6) = static_cast<std::uint8_t>(i >> 8U);
        bytes.at(7) = static_cast<std::uint8_t>(i);
        allowed += limit.allows(policy::Address{bytes}, now) ? 1U : 0U;
    }
    CHECK(allowed == milter::ProbeLimit::most_of_site);
    CHECK(limit.allows(policy::Address::parse(good_client).value(), now));
}

TEST_CASE("a recipient's domain is compared as A-labels") {
    policy::Selector tenant;
    tenant.recipients = tests::recipients({"*@xn--bcher-kva.example"});
    StagedScene scene{{stage("tenant", Mode::observe, tenant), stage("world", Mode::closed)}};
    scene.connect(good_client);
    CHECK(scene.send({}, "<user@example.org>", "<bob@b\u00fccher.example>") == Answer::proceed);
}

TEST_CASE("what a sender that is refused may want to know is looked up for it alone") {
    StagedScene scene{{stage("world", Mode::enforce)}};
    scene.resolver->add_mx("example.org", 10, "mail4.example.org");
    scene.resolver->add_address("mail4.example.org", "192.0.2.25");
    scene.connect(good_client);
    CHECK(scene.send() == Answer::proceed);
    const auto asked_for_mx = [&] {
        return std::ranges::find(scene.resolver->asked,
                                 verify::RecordType::mx,
                                 &verify::Question::type) != scene.resolver->asked.end();
    };
    CHECK_FALSE(asked_for_mx());
    scene.connect(bad_client);
    CHECK(scene.send() == Answer::reject);
    CHECK(asked_for_mx());
    CHECK(to_string(scene.mta.reply.value()).find("No mail host of example.org") !=
          std::string::npos);
}

TEST_CASE("the sender domain is looked up where a stage asks, and not for the null path") {
    StagedScene scene{{stage("world", Mode::enforce)}};
    scene.config.policy.stages.front().requirements.sender_domain = policy::SenderDomain::reachable;
    scene.apply();
    scene.connect(good_client);
    CHECK(scene.send() == Answer::reject); // example.org has neither MX nor address here
    CHECK(scene.session.outcome()->verdict.reason == policy::Reason::sender_domain_unreachable);
    scene.resolver->add_address("example.org", "2001:db8:5::80"); // IPv6 alone will do
    CHECK(scene.send() == Answer::proceed);
}

TEST_CASE("aligned: by the organization of the author's domain") {
    StagedScene scene{{stage("world", Mode::enforce)}};
    scene.config.policy.stages.front().requirements.authentication =
        policy::Authentication::aligned;
    scene.apply();
    scene.resolver->add_txt("bounces.example.org", "v=spf1 ip6:2001:db8:5::/48 -all");
    scene.connect(good_client);
    CHECK(scene.send({}, "<b@bounces.example.org>") == Answer::proceed); // From: user@example.org
    CHECK(scene.send({{"From", " another@example.com"}}) == Answer::reject); // two authors are none
}

TEST_CASE("percent: the same side for a sender, whatever address it comes from") {
    policy::Selector part;
    part.percent = 50;
    StagedScene scene{{stage("part", Mode::enforce, part), stage("rest", Mode::observe)}};
    scene.config.rollout_key = "0123456789abcdef";
    scene.apply();
    int refused = 0;
    for (int i = 0; i < 40; ++i) {
        const std::string domain = "d" + std::to_string(i) + ".example";
        scene.connect(bad_client);
        const Answer first = scene.send({}, "<a@" + domain + ">");
        scene.connect("2001:db8:bad:2::1");
        CHECK(scene.send({}, "<b@" + domain + ">") == first);
        CHECK(scene.send({}, "<c@mail." + domain + ">") == first);
        refused += first == Answer::reject ? 1 : 0;
    }
    CHECK(refused > 8);
    CHECK(refused < 32);
}

TEST_CASE("percent: hosts with the same key agree, and raising it only adds") {
    const auto host = [](double percent, const char* key) {
        policy::Selector part;
        part.percent = percent;
        auto scene = std::make_unique<StagedScene>(
            std::vector{stage("part", Mode::enforce, part), stage("rest", Mode::observe)});
        scene->config.rollout_key = key;
        scene->apply();
        scene->connect(bad_client);
        return scene;
    };
    const auto one = host(30, "0123456789abcdef");
    const auto other = host(30, "0123456789abcdef");
    const auto further = host(60, "0123456789abcdef");
    const auto drawn_anew = host(30, "fedcba9876543210");
    int differ = 0;
    for (int i = 0; i < 100; ++i) {
        const std::string mail_from = "<a@d" + std::to_string(i) + ".example>";
        const Answer answer = one->send({}, mail_from);
        CHECK(other->send({}, mail_from) == answer);
        if (answer == Answer::reject) {
            CHECK(further->send({}, mail_from) == Answer::reject);
        }
        differ += drawn_anew->send({}, mail_from) != answer ? 1 : 0;
    }
    CHECK(differ > 10);
}

TEST_CASE("percentile: by the key and the organizational domain, and evenly") {
    policy::Evidence evidence;
    int below_ten = 0;
    for (int i = 0; i < 2'000; ++i) {
        evidence.mail_from_domain = "d" + std::to_string(i) + ".example";
        evidence.mail_from = "a@" + evidence.mail_from_domain;
        const double percentile = milter::percentile_of(evidence, "0123456789abcdef");
        CHECK(percentile >= 0);
        CHECK(percentile < 100);
        below_ten += percentile < 10 ? 1 : 0;
        CHECK(milter::percentile_of(evidence, "fedcba9876543210") != percentile);
    }
    CHECK(below_ten > 140);
    CHECK(below_ten < 260);

    evidence.mail_from_domain = "mail.example.co.uk";
    const double named = milter::percentile_of(evidence, "0123456789abcdef");
    evidence.mail_from.clear();
    evidence.mail_from_domain.clear();
    evidence.helo = "MX1.example.co.uk";
    CHECK(milter::percentile_of(evidence, "0123456789abcdef") == named);
}

TEST_CASE("placed: by the key of a candidate, whatever key was there before") {
    policy::JournalEntry entry;
    entry.evidence.mail_from = "user@example.org";
    entry.evidence.mail_from_domain = "example.org";
    CHECK_FALSE(milter::placed(entry, "").evidence.percentile);
    const auto placed = milter::placed(entry, "0123456789abcdef");
    CHECK(placed.evidence.percentile == milter::percentile_of(entry.evidence, "0123456789abcdef"));
    CHECK(milter::placed(placed, "fedcba9876543210").evidence.percentile !=
          placed.evidence.percentile);
    CHECK(milter::placed(placed, "").evidence.percentile == placed.evidence.percentile);
}

TEST_CASE("trouble in one stage is not another's") {
    StagedScene scene{{stage("partners", Mode::enforce, networks("2001:db8:5::/48")),
                       stage("world", Mode::observe)}};
    scene.connect(good_client);
    scene.session.mail("<user@example.org>");
    scene.session.fail();
    CHECK(scene.finish() == Answer::tempfail);
    scene.connect(bad_client);
    scene.session.mail("<user@example.org>");
    scene.session.fail();
    CHECK(scene.finish() == Answer::proceed);
}
