// Mail to a probe address: never delivered, and what its refusal tells.
#include "policy/decide.hpp"
#include "policy/journal.hpp"
#include "policy/probe.hpp"
#include "tests/policy/evidence_makers.hpp"
#include "tests/policy/stage_makers.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every case below

namespace {

Policy with_probe(Mode mode) {
    Policy policy = tests::policy_of({tests::stage("default", mode)});
    policy.probe_recipients = tests::recipients({"test@example.net"});
    return policy;
}

Evidence test_mail(Evidence evidence = tests::good_evidence()) {
    evidence.recipients = {"test@example.net"};
    return evidence;
}

std::string text_of(const Evidence& evidence, const Policy& policy) {
    const auto verdict = decide(evidence, policy);
    REQUIRE(verdict);
    const ReplyContext context{"k3x7q2m9vw4t", "mx.example.net", "https://help.example.net/"};
    std::string text;
    for (const auto& line : reply_for(*verdict, evidence, policy, context).lines) {
        text += (text.empty() ? "" : " ") + line;
    }
    return text;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a probe is refused in every mode, whatever it shows") {
    for (const Mode mode :
         {Mode::off, Mode::observe, Mode::tag, Mode::soft, Mode::enforce, Mode::closed}) {
        CAPTURE(to_string(mode));
        for (const auto& evidence : {test_mail(), test_mail(tests::unauthenticated_evidence())}) {
            const auto verdict = decide(evidence, with_probe(mode));
            REQUIRE(verdict);
            CHECK(verdict->is_probe);
            CHECK(verdict->action == Action::reject);
            CHECK(verdict->mode == mode);
        }
    }
}

TEST_CASE("a probe is answered when everything is known, closed or not") {
    for (const Mode mode : {Mode::off, Mode::closed}) {
        Evidence evidence = test_mail();
        evidence.phase = Phase::rcpt;
        CHECK_FALSE(decide(evidence, with_probe(mode)));
        evidence.phase = Phase::end_of_message;
        evidence.dkim.reset();
        CHECK_FALSE(decide(evidence, with_probe(mode)));
    }
}

TEST_CASE("a probe tells what was found, what happens to such mail and what to publish") {
    const std::string good = text_of(test_mail(), with_probe(Mode::enforce));
    CAPTURE(good);
    CHECK(has(good, "[2001:db8:5::5] IPv6 test: passed"));
    CHECK(has(good, "case k3x7q2m9vw4t"));
    CHECK(has(good, "Such mail is accepted here."));
    CHECK(has(good, "iprev=pass"));

    Evidence bad = test_mail(tests::unauthenticated_evidence());
    bad.iprev = tests::iprev_fail();
    const std::string both = text_of(bad, with_probe(Mode::observe));
    CAPTURE(both);
    CHECK(has(both, "IPv6 test: failed, PTR leads elsewhere, SPF fail"));
    CHECK(has(both,
              "Such mail is now accepted here. Where this is enforced it is refused with "
              "550 5.7.25."));
    CHECK(has(both, "mail.example.org. AAAA 2001:db8:5::5")); // for each of the two a remedy
    CHECK(has(both, "ip6:2001:db8:5::5"));
    CHECK(has(both, "https://help.example.net/"));
    CHECK(has(text_of(bad, with_probe(Mode::soft)), "is now refused with 450 4.7.25"));
    CHECK(has(text_of(bad, with_probe(Mode::closed)), "is now refused with 451 4.7.1"));
}

TEST_CASE("a probe over IPv4, or of one who has logged in, is told so") {
    Evidence evidence = test_mail();
    evidence.client = Address::parse("192.0.2.1");
    CHECK(has(text_of(evidence, with_probe(Mode::enforce)),
              "[192.0.2.1] IPv6 test: this came over IPv4"));
    evidence = test_mail();
    evidence.is_authenticated = true;
    CHECK(has(text_of(evidence, with_probe(Mode::enforce)), "this client has logged in"));
}

TEST_CASE("our own relays get no answer of which they would make a bounce") {
    Policy policy = with_probe(Mode::enforce);
    policy.exempt_networks = {Prefix::parse("2001:db8:5::/48").value()};
    CHECK(decide(test_mail(), policy)->action == Action::accept);
    Evidence local = test_mail();
    local.client.reset();
    CHECK(decide(local, with_probe(Mode::enforce))->action == Action::accept);
}

TEST_CASE("a network that tests without end has to wait") {
    Evidence evidence = test_mail();
    evidence.is_over_probe_limit = true;
    CHECK(decide(evidence, with_probe(Mode::enforce))->action == Action::tempfail);
    const std::string text = text_of(evidence, with_probe(Mode::enforce));
    CHECK(has(text, "please try again later"));
    CHECK_FALSE(has(text, "iprev"));
}

TEST_CASE("mail to others is no probe") {
    const Policy policy = with_probe(Mode::enforce);
    CHECK_FALSE(decide(tests::good_evidence(), policy)->is_probe);
    Evidence mixed = test_mail();
    mixed.recipients.emplace_back("someone@example.net");
    CHECK_FALSE(decide(mixed, policy)->is_probe);
    CHECK(decide(mixed, policy)->action == Action::accept);
}

TEST_CASE("the log says that it was a probe") {
    JournalEntry entry;
    entry.evidence = test_mail();
    entry.verdict = decide(entry.evidence, with_probe(Mode::enforce)).value();
    CHECK(has(log_line(entry), " probe=yes"));
    entry.verdict.is_probe = false;
    CHECK_FALSE(has(log_line(entry), "probe="));
}
