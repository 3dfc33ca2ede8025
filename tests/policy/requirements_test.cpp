// What decide() makes of requirements that go beyond a reverse name, SPF and DKIM.
#include "policy/decide.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

namespace {

Policy enforced() {
    Policy policy;
    policy.stages.front().mode = Mode::enforce;
    return policy;
}

// From the author's own organization: example.org, whose mail has a MAIL FROM below it.
Evidence aligned_evidence() {
    Evidence evidence = tests::good_evidence();
    evidence.from_domain = "example.org";
    evidence.spf_mail_from->domain = "bounces.example.org";
    evidence.dkim = std::vector{tests::signature(DkimResult::fail)};
    evidence.organizations = {{"bounces.example.org", "example.org"}};
    return evidence;
}

} // namespace

TEST_CASE("decide: aligned") {
    struct Case {
        const char* name;
        std::function<void(Evidence&)> change;
        std::optional<Reason> reason;
    };

    const auto by_dkim = [](DkimResult result, const char* domain) {
        return [=](Evidence& evidence) {
            evidence.spf_mail_from->result = SpfResult::none;
            evidence.dkim->front() = tests::signature(result);
            evidence.dkim->front().sdid = domain;
            evidence.organizations.push_back({"mail.example.org", "example.org"});
        };
    };
    const std::vector<Case> cases{
        {"SPF of a name below", [](Evidence&) {}, {}},
        {"SPF of another organization",
         [](Evidence& evidence) { evidence.spf_mail_from->domain = "example.com"; },
         Reason::unaligned},
        {"SPF of another organization's name that ends alike",
         [](Evidence& evidence) { evidence.spf_mail_from->domain = "anexample.org"; },
         Reason::unaligned},
        {"SPF that could not be looked up",
         [](Evidence& evidence) { evidence.spf_mail_from->result = SpfResult::temperror; },
         Reason::authentication_temperror},
        {"SPF of another organization that could not be looked up",
         [](Evidence& evidence) {
             evidence.spf_mail_from = tests::spf(SpfResult::temperror);
             evidence.spf_mail_from->domain = "example.com";
         },
         Reason::unauthenticated},
        {"DKIM of a name below", by_dkim(DkimResult::pass, "mail.example.org"), {}},
        {"DKIM of the domain", by_dkim(DkimResult::pass, "EXAMPLE.org"), {}},
        {"DKIM of another", by_dkim(DkimResult::pass, "example.com"), Reason::unaligned},
        {"DKIM whose key could not be looked up",
         by_dkim(DkimResult::temperror, "mail.example.org"),
         Reason::dkim_temperror},
        {"nothing passes", by_dkim(DkimResult::fail, "example.org"), Reason::unauthenticated},
        {"no author", [](Evidence& evidence) { evidence.from_domain = ""; }, Reason::unaligned},
        {"an author at another name of the organization",
         [](Evidence& evidence) {
             evidence.from_domain = "news.example.org";
             evidence.organizations.push_back({"news.example.org", "example.org"});
         },
         {}},
    };
    Policy policy = enforced();
    policy.stages.front().requirements.authentication = Authentication::aligned;
    for (const auto& c : cases) {
        CAPTURE(c.name);
        Evidence evidence = aligned_evidence();
        c.change(evidence);
        const auto verdict = decide(evidence, policy);
        REQUIRE(verdict);
        CHECK(verdict->reason == c.reason);
    }
}

TEST_CASE("decide: an author that nobody has looked for leaves it open") {
    Policy policy = enforced();
    CHECK(decide(tests::good_evidence(), policy));
    policy.stages.front().requirements.authentication = Authentication::aligned;
    CHECK_FALSE(decide(tests::good_evidence(), policy));
}

TEST_CASE("decide: sender domain") {
    struct Case {
        const char* name;
        std::optional<SenderDomainResult> result;
        std::optional<Reason> reason;
        Action action;
    };

    const std::vector<Case> cases{
        {"reachable", SenderDomainResult::reachable, {}, Action::accept},
        {"no address",
         SenderDomainResult::unreachable,
         Reason::sender_domain_unreachable,
         Action::reject},
        {"null MX", SenderDomainResult::null_mx, Reason::sender_domain_null_mx, Action::reject},
        {"temperror",
         SenderDomainResult::temperror,
         Reason::sender_domain_temperror,
         Action::tempfail},
    };
    Policy policy = enforced();
    for (const auto& c : cases) {
        CAPTURE(c.name);
        Evidence evidence = tests::good_evidence();
        evidence.sender_domain = {*c.result, true};
        policy.stages.front().requirements.sender_domain = SenderDomain::any;
        CHECK_FALSE(decide(evidence, policy)->reason);
        policy.stages.front().requirements.sender_domain = SenderDomain::reachable;
        CHECK(decide(evidence, policy)->reason == c.reason);
        CHECK(decide(evidence, policy)->action == c.action);
    }
    policy.stages.front().requirements.sender_domain = SenderDomain::reachable;
    Evidence evidence = tests::good_evidence();
    CHECK_FALSE(decide(evidence, policy)); // not looked up yet
    evidence.mail_from_domain.clear();     // "MAIL FROM:<user>" is the MTA's to complete or refuse
    CHECK_FALSE(decide(evidence, policy)->reason);
}
