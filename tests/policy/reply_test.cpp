#include "policy/decide.hpp"
#include "policy/reply.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

namespace {

Policy policy_of(Profile profile, Mode mode) {
    Policy policy;
    policy.stages.front().mode = mode;
    policy.stages.front().replies = replies_of(profile);
    policy.stages.front().requirements = requirements_of(profile);
    policy.stages.front().help_url = "https://mail.example.net/ipv6";
    return policy;
}

Reply reply_to(const Evidence& evidence, const Policy& policy) {
    return reply_for(decide(evidence, policy).value(),
                     evidence,
                     policy,
                     {"case12345678", "mx.example.net", policy.stages.front().help_url});
}

std::string text_of(const Reply& reply) {
    std::string text;
    for (const auto& line : reply.lines) {
        text += line + '\n';
    }
    return text;
}

bool has(const Reply& reply, std::string_view needle) {
    return text_of(reply).find(needle) != std::string::npos;
}

// What holds for every reply, whoever chose the text in it.
void check_limits(const Reply& reply) {
    CHECK(!reply.lines.empty());
    CHECK(reply.lines.size() <= 32);
    CHECK(to_string(reply).size() + reply.lines.size() <= 2'000); // each line has a CR, too
    for (const auto& line : reply.lines) {
        CHECK(std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; }));
        CHECK(line.size() <= 490);
    }
}

Evidence hostile_evidence() {
    const std::string nasty = "a\r\n550 5.0.0 injected % %s \xc3\xa9 \x1b[31m \"()\\ ";
    std::string long_nasty;
    for (int i = 0; i < 20; ++i) {
        long_nasty += nasty;
    }
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.helo = long_nasty;
    evidence.mail_from = long_nasty + "@" + long_nasty;
    evidence.mail_from_domain = long_nasty;
    evidence.recipients = {long_nasty + "@" + long_nasty};
    evidence.iprev = tests::iprev_fail();
    evidence.iprev->names.assign(10, evidence.iprev->names.front());
    for (auto& found : evidence.iprev->names) {
        found.name = long_nasty;
    }
    evidence.spf_mail_from->domain = long_nasty;
    evidence.spf_mail_from->problem = long_nasty;
    evidence.spf_mail_from->mechanism = long_nasty;
    evidence.spf_mail_from->lists_only_ipv4 = true;
    evidence.sender_domain = {SenderDomainResult::reachable, false};
    DkimSignature signature = tests::signature(DkimResult::permerror);
    signature.sdid = signature.auid = signature.selector = signature.problem = long_nasty;
    evidence.dkim = std::vector(10, signature);
    return evidence;
}

} // namespace

TEST_CASE("the first line says what is wrong, for whom and under which case") {
    Evidence evidence = tests::good_evidence();
    evidence.iprev = {IprevResult::permerror, {}};
    const Reply reply = reply_to(evidence, policy_of(Profile::rfc7372, Mode::enforce));
    CHECK(reply.code.to_string() == "550 5.7.25");
    CHECK(reply.lines.front() ==
          "[2001:db8:5::5] has no reverse DNS (PTR record), case case12345678");
    CHECK(to_string(reply).starts_with("550-5.7.25 [2001:db8:5::5] has no"));
    CHECK(has(reply,
              "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.5.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.\nPTR,"));
    CHECK(has(reply, "See https://mail.example.net/ipv6\n"));
    CHECK(has(reply, "Authentication-Results: mx.example.net;\n iprev=permerror"));
    check_limits(reply);
}

TEST_CASE("soft and enforce have codes of their own") {
    const Evidence evidence = tests::unauthenticated_evidence();
    const auto code = [&](Profile profile, Mode mode) {
        return reply_to(evidence, policy_of(profile, mode)).code.to_string();
    };
    CHECK(code(Profile::rfc7372, Mode::soft) == "450 4.7.26");
    CHECK(code(Profile::rfc7372, Mode::enforce) == "550 5.7.26");
    CHECK(code(Profile::eop, Mode::soft) == "450 4.7.26");
    CHECK(code(Profile::eop, Mode::enforce) == "554 5.7.26");
    CHECK(code(Profile::gmail, Mode::enforce) == "550 5.7.26");
    CHECK(code(Profile::rfc7372, Mode::closed) == "451 4.7.1");
    CHECK(code(Profile::eop, Mode::closed) == "550 5.2.1");
}

TEST_CASE("the last line alone has a space behind its code") {
    const Reply reply{{450, "4.7.25"}, {"one", "two"}};
    CHECK(to_string(reply) == "450-4.7.25 one\n450 4.7.25 two\n");
}

TEST_CASE("a terse reply is one line and the help address") {
    Policy policy = policy_of(Profile::terse, Mode::enforce);
    CHECK(reply_to(tests::unauthenticated_evidence(), policy).lines.size() == 2);
    policy.stages.front().help_url.clear();
    CHECK(reply_to(tests::unauthenticated_evidence(), policy).lines.size() == 1);
}

TEST_CASE("lines keep to 78 columns where words allow") {
    const Reply reply =
        reply_to(tests::unauthenticated_evidence(), policy_of(Profile::rfc7372, Mode::enforce));
    for (std::size_t i = 1; i < reply.lines.size(); ++i) {
        CAPTURE(reply.lines[i]);
        CHECK(reply.lines[i].size() + std::string{"550-5.7.26 "}.size() <= 78);
    }
}

TEST_CASE("nothing a stranger supplies breaks a reply") {
    for (const Profile profile : {Profile::rfc7372, Profile::gmail, Profile::eop, Profile::terse}) {
        for (const Reason reason : all_reasons) {
            Verdict verdict;
            verdict.reason = reason;
            verdict.stage = "default";
            verdict.mode = Mode::enforce;
            const Policy policy = policy_of(profile, Mode::enforce);
            const Reply reply =
                reply_for(verdict,
                          hostile_evidence(),
                          policy,
                          {"case12345678", "mx.example.net", policy.stages.front().help_url});
            CAPTURE(to_string(reply));
            check_limits(reply);
            CHECK(reply.lines.front().find("case12345678") != std::string::npos);
            CHECK(has(reply, "See https://mail.example.net/ipv6"));
        }
    }
}

TEST_CASE("a result is shown whole or not at all") {
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.dkim = std::vector(10, tests::signature(DkimResult::fail));
    for (auto& signature : *evidence.dkim) {
        signature.problem = std::string(120, 'x');
    }
    const Reply reply = reply_to(evidence, policy_of(Profile::rfc7372, Mode::enforce));
    check_limits(reply);
    CHECK(has(reply, "dkim=fail"));
    CHECK(reply.lines.back().ends_with("header.b=\"dGVzdA+/=abc\""));
}

TEST_CASE("hints stand between the help address and the results") {
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.spf_mail_from->lists_only_ipv4 = true;
    const Reply reply = reply_to(evidence, policy_of(Profile::rfc7372, Mode::enforce));
    CHECK(has(reply,
              "See https://mail.example.net/ipv6\n"
              "SPF of example.org has ip4 and no ip6: it lacks ip6:2001:db8:5::5.\n"
              "Authentication-Results: mx.example.net;\n"));
    check_limits(reply);
    CHECK_FALSE(has(reply_to(evidence, policy_of(Profile::terse, Mode::enforce)), "ip4"));
}

TEST_CASE("hints go before a result does") {
    Evidence evidence = tests::unauthenticated_evidence();
    const Policy policy = policy_of(Profile::rfc7372, Mode::enforce);
    const auto is_hint = [](const std::string& line) { return line.starts_with("SPF of"); };
    std::vector<bool> has_hint;
    for (std::size_t signatures = 0; signatures <= 30; ++signatures) {
        evidence.dkim = std::vector(signatures, tests::signature(DkimResult::fail));
        evidence.spf_mail_from->lists_only_ipv4 = false;
        const Reply without = reply_to(evidence, policy);
        evidence.spf_mail_from->lists_only_ipv4 = true;
        Reply reply = reply_to(evidence, policy);
        check_limits(reply);
        has_hint.push_back(std::erase_if(reply.lines, is_hint) == 1);
        CHECK(reply == without);
    }
    CHECK(has_hint.front());
    CHECK_FALSE(has_hint.back());
    CHECK(std::ranges::is_sorted(has_hint, std::greater<>{}));
}

TEST_CASE("what is wrong with a text is said") {
    const auto fault = [](std::vector<std::string> text) { return fault_in(text).value_or(""); };
    const std::string first = "[{client}] {case}";
    CHECK(fault({first}) == "");
    CHECK(fault({first, "", "{{braces}} {spf}"}) == "");
    CHECK(fault({}).find("at least one line") != std::string::npos);
    CHECK(fault({"{client}"}).find("{case}") != std::string::npos);
    CHECK(fault({"{{client}} {{case}}"}).find("{client}") != std::string::npos);
    CHECK(fault({"{case}"}).find("{client}") != std::string::npos);
    CHECK(fault({first, "{nothing}"}).find("{nothing}") != std::string::npos);
    CHECK(fault({first, "{client"}).find("brace") != std::string::npos);
    CHECK(fault({first, "client}"}).find("brace") != std::string::npos);
    CHECK(fault({first, "tab\there"}).find("ASCII") != std::string::npos);
    CHECK(fault({first, "line\nend"}).find("ASCII") != std::string::npos);
    CHECK(fault({first, "\xc3\xa9"}).find("ASCII") != std::string::npos);
    CHECK(fault({first, std::string(201, 'x')}).find("200") != std::string::npos);
    CHECK(fault(std::vector(17, first)).find("16") != std::string::npos);
    CHECK(fault({first + "{helo}{names}{dkim}{spf}{mail_from}"}) == "");
    CHECK(fault({first + "{helo}{names}{dkim}{spf}{mail_from}{iprev}"}).find("grow") !=
          std::string::npos);
    CHECK(fault({first, "{helo}{names}{dkim}{spf}{mail_from}{iprev}"}) == "");
}

TEST_CASE("a doubled brace is a brace, and a percent sign stays") {
    Policy policy = policy_of(Profile::terse, Mode::enforce);
    policy.stages.front().help_url.clear();
    policy.stages.front().replies[Reason::unauthenticated].text = {"{{{client}}} 100% {case}"};
    CHECK(reply_to(tests::unauthenticated_evidence(), policy).lines.front() ==
          "{2001:db8:5::5} 100% case12345678");
}

TEST_CASE("one quote in a name makes no line without end") {
    Evidence evidence = tests::good_evidence();
    evidence.iprev = tests::iprev_fail();
    evidence.iprev->names.assign(3, evidence.iprev->names.front());
    for (auto& found : evidence.iprev->names) {
        found.name = '"' + std::string(150, '(');
    }
    const Reply reply = reply_to(evidence, policy_of(Profile::rfc7372, Mode::enforce));
    check_limits(reply);
    CHECK(reply.code.to_string() == "550 5.7.25");
}

TEST_CASE("the explanation of the domain is shown where there is one") {
    Evidence evidence = tests::unauthenticated_evidence();
    const Policy policy = policy_of(Profile::rfc7372, Mode::enforce);
    const auto lines = reply_to(evidence, policy).lines.size();
    CHECK_FALSE(has(reply_to(evidence, policy), "SPF explanation"));
    evidence.spf_mail_from->explanation = "See http://example.org/why";
    CHECK(has(reply_to(evidence, policy),
              "SPF explanation of example.org: See http://example.org/why"));
    CHECK(reply_to(evidence, policy).lines.size() == lines + 1);
}

TEST_CASE("reply: the help address tells the page what it is about") {
    Policy policy = policy_of(Profile::rfc7372, Mode::enforce);
    policy.stages.front().help_url = "https://mail.example.net/?ip={client}&c={case}#{reason}";
    Evidence evidence = tests::good_evidence();
    evidence.iprev = IprevEvidence{IprevResult::permerror, {}};
    CHECK(has(reply_to(evidence, policy),
              "https://mail.example.net/?ip=2001:db8:5::5&c=case12345678#reverse_name_missing"));
}
