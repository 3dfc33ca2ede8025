#include "milter/explain_text.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("the evidence ends with hints, a line each") {
    auto evidence = tests::unauthenticated_evidence();
    CHECK(milter::evidence_text(evidence).find("hint") == std::string::npos);
    evidence.spf_mail_from->lists_only_ipv4 = true;
    evidence.sender_domain = {policy::SenderDomainResult::reachable, false};
    CHECK(milter::evidence_text(evidence).ends_with(
        "\n    hint: SPF of example.org has ip4 and no ip6: it lacks ip6:2001:db8:5::5."
        "\n    hint: No mail host of example.org has an AAAA record: replies and bounces need "
        "IPv4.\n"));
}
