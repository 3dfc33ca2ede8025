#include "milter/evidence_json.hpp"
#include "tests/store/entry_makers.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

TEST_CASE("evidence as JSON: what chooses a stage") {
    policy::Evidence evidence = tests::good_evidence();
    evidence.time = tests::noon;
    evidence.percentile = 12.5;
    evidence.from_domain = "author.example";
    evidence.organizations = {{"mail.author.example", "author.example"}};
    evidence.spf_mail_from->lists_only_ipv4 = true;
    evidence.sender_domain = {policy::SenderDomainResult::null_mx, true};
    const auto json = milter::to_json(evidence);
    CHECK(json["phase"] == "end_of_message");
    CHECK(json["time"] == "2026-11-22T12:00:00Z");
    CHECK(json["percentile"] == 12.5);
    CHECK(json["from_domain"] == "author.example");
    CHECK(json["organizations"][0]["domain"] == "mail.author.example");
    CHECK(json["organizations"][0]["organizational_domain"] == "author.example");
    CHECK(json["spf_mail_from"]["lists_only_ipv4"] == true);
    CHECK(json["spf_helo"]["lists_only_ipv4"] == false);
    CHECK(json["sender_domain"]["result"] == "null_mx");
    CHECK(json["sender_domain"]["has_ipv6"] == true);
}

TEST_CASE("evidence as JSON: what is not known is null") {
    const auto json = milter::to_json(policy::Evidence{});
    for (const auto* const key :
         {"time", "percentile", "iprev", "dkim", "from_domain", "sender_domain"}) {
        CAPTURE(key);
        REQUIRE(json.contains(key));
        CHECK(json[key].is_null());
    }
    CHECK(json["organizations"].empty());
}
