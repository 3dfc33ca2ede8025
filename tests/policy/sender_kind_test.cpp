#include "policy/sender_kind.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using policy::SenderKind;

namespace {

policy::Evidence with_client(const char* client) {
    policy::Evidence evidence = tests::good_evidence();
    evidence.client = policy::Address::parse(client).value();
    return evidence;
}

policy::Evidence beside_listener(const char* listener) {
    policy::Evidence evidence = tests::good_evidence(); // from 2001:db8:5::5
    evidence.listener.address = listener;
    return evidence;
}

policy::Evidence named(const char* name, policy::NameOutcome outcome) {
    policy::Evidence evidence = tests::good_evidence();
    evidence.iprev->names = {{name, outcome, {}}};
    return evidence;
}

policy::Evidence with(bool is_from_list, bool is_forwarded) {
    policy::Evidence evidence = tests::good_evidence();
    evidence.is_from_list = is_from_list;
    evidence.is_forwarded = is_forwarded;
    return evidence;
}

policy::Evidence bounce_evidence() {
    policy::Evidence evidence = with(true, true);
    evidence.mail_from.clear();
    return evidence;
}

} // namespace

TEST_CASE("kind_of: what a sender looks like") {
    struct Case {
        const char* name;
        policy::Evidence evidence;
        SenderKind kind;
    };

    const auto leads_back = policy::NameOutcome::leads_back;
    const std::vector<Case> cases{
        {"nothing special", tests::good_evidence(), SenderKind::direct},
        {"a list", with(true, false), SenderKind::mailing_list},
        {"forwarded", with(false, true), SenderKind::forwarded},
        {"a list that was passed on is a list", with(true, true), SenderKind::mailing_list},
        {"a bounce, whatever its fields say", bounce_evidence(), SenderKind::null_path},
        {"unique-local", with_client("fd00:1::2"), SenderKind::own_range},
        {"in the /64 of the listener", beside_listener("2001:db8:5::25"), SenderKind::own_range},
        {"in another /64", beside_listener("2001:db8:5:1::25"), SenderKind::direct},
        {"the listener is any", beside_listener("::"), SenderKind::direct},
        {"the listener is IPv4", beside_listener("192.0.2.1"), SenderKind::direct},
        {"a name of our domain", named("Relay.Example.NET", leads_back), SenderKind::own_range},
        {"our domain itself", named("example.net", leads_back), SenderKind::own_range},
        {"a name that ends alike", named("notexample.net", leads_back), SenderKind::direct},
        {"a name of our domain that leads elsewhere",
         named("relay.example.net", policy::NameOutcome::elsewhere),
         SenderKind::direct},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            CHECK(policy::kind_of(c.evidence, "mx.example.net") == c.kind);
        }
    }
}

TEST_CASE("kind_of: a host without a domain has none of its own") {
    const auto evidence = named("localhost", policy::NameOutcome::leads_back);
    CHECK(policy::kind_of(evidence, "localhost") == SenderKind::direct);
}

TEST_CASE("domain_of_host: the domain that a host stands in") {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"mx1.example.org", "example.org"},
        {"MX1.Example.ORG.", "example.org"},
        {"a.mx.example.org", "mx.example.org"},
        {"example.org", "example.org"},
        {"mail.co.uk", "mail.co.uk"},
        {"mx.example.co.uk", "example.co.uk"},
        {"localhost", "localhost"},
        {"[IPv6:2001:db8::1]", "[ipv6:2001:db8::1]"},
        {"", ""},
    };
    for (const auto& [host, domain] : cases) {
        CHECK(policy::domain_of_host(host) == domain);
    }
}
