#include "policy/ascii.hpp"
#include "policy/hints.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

namespace {

using Hints = std::vector<std::string>;

struct KindCase {
    std::string_view client;
    std::string_view hint;
};

Evidence from_client(std::string_view client) {
    Evidence evidence = tests::good_evidence();
    evidence.client = Address::parse(client);
    return evidence;
}

Evidence without_reverse_name(std::string_view client) {
    Evidence evidence = from_client(client);
    evidence.iprev = {IprevResult::permerror, {}};
    return evidence;
}

Evidence with_aaaa(std::string_view address, NameOutcome outcome = NameOutcome::elsewhere) {
    Evidence evidence = tests::good_evidence();
    evidence.iprev = {IprevResult::fail,
                      {{"mail.example.org", outcome, {Address::parse(address).value()}}}};
    return evidence;
}

Evidence with_spf(SpfResult result) {
    Evidence evidence = tests::good_evidence();
    evidence.spf_mail_from = tests::spf(result);
    evidence.spf_mail_from->lists_only_ipv4 = true;
    return evidence;
}

Evidence with_sender_domain(SenderDomainResult result, bool has_ipv6) {
    Evidence evidence = tests::good_evidence();
    evidence.sender_domain = {result, has_ipv6};
    return evidence;
}

bool has(const Hints& hints, std::string_view needle) {
    return std::ranges::any_of(
        hints, [&](const auto& hint) { return hint.find(needle) != std::string::npos; });
}

} // namespace

TEST_CASE("hints_of: a good message needs none") {
    CHECK(hints_of(tests::good_evidence()).empty());
    CHECK(hints_of(with_sender_domain(SenderDomainResult::reachable, true)).empty());
    CHECK(hints_of(Evidence{}).empty());
}

TEST_CASE("hints_of: the kind of the client's address") {
    const std::vector<KindCase> cases{
        {"2002:c000:201::1", "2002:c000:201::1 is a 6to4 address"},
        {"2001::1", "2001::1 is a Teredo address"},
        {"64:ff9b::192.0.2.1", " is a NAT64 address"},
        {"64:ff9b:1::1", " is a NAT64 address"},
        {"::192.0.2.1", " is an IPv4-compatible address"},
        {"fd00::1", "fd00::1 is a unique-local address"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.client);
        CHECK(has(hints_of(from_client(c.client)), c.hint));
        CHECK(hints_of(from_client(c.client)).size() == 1);
    }
}

TEST_CASE("hints_of: an interface identifier matters to a client without a name alone") {
    const std::vector<KindCase> cases{
        {"2001:db8::8c4b:1d2e:97af:60f3", "looks like a temporary (privacy) address"},
        {"2001:db8::211:22ff:fe33:4455", "(EUI-64)"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.client);
        Evidence evidence = without_reverse_name(c.client);
        CHECK(has(hints_of(evidence), c.hint));
        evidence.iprev->result = IprevResult::fail;
        CHECK(has(hints_of(evidence), c.hint));
        evidence.iprev->result = IprevResult::pass;
        CHECK(hints_of(evidence).empty());
        evidence.iprev->result = IprevResult::temperror;
        CHECK(hints_of(evidence).empty());
        evidence.iprev.reset();
        CHECK(hints_of(evidence).empty());
    }
    CHECK(hints_of(without_reverse_name("2001:db8::25")).empty());
}

TEST_CASE("hints_of: an AAAA record made from an IPv4 address") {
    CHECK(hints_of(with_aaaa("::ffff:192.0.2.7")) ==
          Hints{"AAAA ::ffff:192.0.2.7 of mail.example.org looks made from an IPv4 address: it has "
                "to be the host's own IPv6 address."});
    CHECK(has(hints_of(with_aaaa("::192.0.2.7")), "AAAA ::192.0.2.7 of"));
    CHECK(has(hints_of(with_aaaa("2002:c000:207::")), "AAAA 2002:c000:207:: of"));
    CHECK(has(hints_of(with_aaaa("64:ff9b::c000:207")), "AAAA 64:ff9b::c000:207 of"));
    CHECK(hints_of(with_aaaa("2001:db8::7")).empty());

    Evidence evidence = with_aaaa("2002:c000:207::", NameOutcome::leads_back);
    evidence.client = Address::parse("2002:c000:207::");
    CHECK(hints_of(evidence).size() == 1); // that of the client's kind
}

TEST_CASE("hints_of: an SPF record that has IPv4 only, and what to add to it") {
    for (const SpfResult result : {SpfResult::fail, SpfResult::softfail, SpfResult::neutral}) {
        CHECK(hints_of(with_spf(result)) ==
              Hints{"SPF of example.org has ip4 and no ip6: it lacks ip6:2001:db8:5::5."});
    }
    for (const SpfResult result :
         {SpfResult::pass, SpfResult::none, SpfResult::temperror, SpfResult::permerror}) {
        CHECK(hints_of(with_spf(result)).empty());
    }
    Evidence evidence = with_spf(SpfResult::fail);
    evidence.is_forwarded = true; // it is not that domain's to add
    CHECK(hints_of(evidence).empty());
    evidence = with_spf(SpfResult::fail);
    evidence.spf_mail_from->lists_only_ipv4 = false;
    CHECK(hints_of(evidence).empty());
    evidence = with_spf(SpfResult::fail);
    evidence.spf_helo = std::exchange(evidence.spf_mail_from, std::nullopt);
    evidence.spf_helo->domain = "mail.example.org";
    evidence.mail_from.clear();
    CHECK(has(hints_of(evidence), "SPF of mail.example.org"));
}

TEST_CASE("hints_of: a sender domain without IPv6") {
    CHECK(hints_of(with_sender_domain(SenderDomainResult::reachable, false)) ==
          Hints{"No mail host of example.org has an AAAA record: replies and bounces need IPv4."});
    for (const auto result : {SenderDomainResult::unreachable,
                              SenderDomainResult::null_mx,
                              SenderDomainResult::temperror}) {
        CHECK(hints_of(with_sender_domain(result, false)).empty());
    }
    Evidence evidence = with_sender_domain(SenderDomainResult::reachable, false);
    evidence.mail_from_domain = "[192.0.2.1]";
    CHECK(hints_of(evidence).empty());
}

TEST_CASE("hints_of: nothing for IPv4") {
    Evidence evidence = with_spf(SpfResult::fail);
    evidence.sender_domain = {SenderDomainResult::reachable, false};
    CHECK(hints_of(evidence).size() == 2);
    evidence.client = Address::parse("::ffff:192.0.2.1");
    CHECK(hints_of(evidence).empty());
    evidence.client.reset();
    CHECK(hints_of(evidence).empty());
}

TEST_CASE("hints_of: what strangers supplied is made printable") {
    Evidence evidence = with_aaaa("::192.0.2.7");
    evidence.iprev->names.front().name = "a\r\n\xff.example";
    evidence.spf_mail_from = with_spf(SpfResult::fail).spf_mail_from;
    evidence.spf_mail_from->domain = "b\n\x1b.example";
    evidence.sender_domain = {SenderDomainResult::reachable, false};
    evidence.mail_from_domain = std::string(10'000, '\n');
    const auto hints = hints_of(evidence);
    CHECK(hints.size() == 3);
    for (const auto& hint : hints) {
        CHECK(std::ranges::all_of(hint, is_printable));
        CHECK(hint.size() < 500);
    }
}
