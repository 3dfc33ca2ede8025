#include "milter/verify/spf_mechanism.hpp"
#include "tests/verify/fake_resolver.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

using tests::FakeResolver;
using verify::LookupFailure;
using verify::Lookups;
using verify::RecordType;
using verify::SpfMatch;
using verify::SpfMatchOutcome;

namespace {

constexpr std::string_view ipv6_client = "2001:db8::1";
constexpr std::string_view ipv4_client = "192.0.2.1";

SpfMatchOutcome outcome_of(FakeResolver& dns,
                           const std::string& term,
                           std::string_view client,
                           const std::string& target = "example.org") {
    const auto record = verify::parse_spf_record("v=spf1 " + term);
    REQUIRE(record);
    Lookups lookups{dns};
    return verify::match_spf_mechanism(
        lookups, policy::Address::parse(client).value(), record->directives.front(), target);
}

SpfMatch match(FakeResolver& dns, const std::string& term, std::string_view client) {
    return outcome_of(dns, term, client).match;
}

struct Row {
    std::string term;
    std::string_view client;
    SpfMatch expected;
};

void check(FakeResolver& dns, const std::vector<Row>& rows) {
    for (const auto& row : rows) {
        CAPTURE(row.term);
        CAPTURE(row.client);
        CHECK(match(dns, row.term, row.client) == row.expected);
    }
}

} // namespace

TEST_CASE("spf mechanism: ip4 and ip6 match clients of their family") {
    FakeResolver dns;
    check(dns,
          {
              {"ip4:192.0.2.1", ipv4_client, SpfMatch::match},
              {"ip4:192.0.2.2", ipv4_client, SpfMatch::no_match},
              {"ip4:192.0.3.0/23", ipv4_client, SpfMatch::match},
              {"ip4:192.0.2.128/25", ipv4_client, SpfMatch::no_match},
              {"IP4:128.0.0.0/1", ipv4_client, SpfMatch::match},
              {"ip4:0.0.0.0/0", ipv4_client, SpfMatch::match},
              {"ip4:0.0.0.0/0", ipv6_client, SpfMatch::no_match},
              {"ip4:192.0.2.1", "::ffff:192.0.2.1", SpfMatch::match},
              {"ip6:::ffff:192.0.2.1", "::ffff:192.0.2.1", SpfMatch::no_match},
              {"ip6:2001:db8::1", ipv6_client, SpfMatch::match},
              {"ip6:2001:DB8:0:0:0:0:0:1/128", ipv6_client, SpfMatch::match},
              {"ip6:2001:db8::/33", "2001:db8:8000::", SpfMatch::no_match},
              {"ip6:2001:db8::/32", "2001:db8:8000::", SpfMatch::match},
              {"ip6:2001:db8::2/127", ipv6_client, SpfMatch::no_match},
              {"ip6:::ffff:0:0/64", "::1:2", SpfMatch::match},
              {"ip6:::/0", ipv6_client, SpfMatch::match},
              {"ip6:::/0", ipv4_client, SpfMatch::no_match},
          });
    CHECK(dns.asked.empty());
}

TEST_CASE("spf mechanism: loopback has no privilege") {
    FakeResolver dns;
    CHECK(match(dns, "ip4:192.0.2.1", "127.0.0.1") == SpfMatch::no_match);
    CHECK(match(dns, "ip6:2001:db8::1", "::1") == SpfMatch::no_match);
}

TEST_CASE("spf mechanism: a compares with the addresses of the client's family") {
    FakeResolver dns;
    dns.add_address("example.org", "192.0.2.77");
    dns.add_address("example.org", "192.0.2.1");
    dns.add_address("example.org", "2001:db8::77");
    dns.add_address("example.org", "2001:db8:1::");
    check(dns,
          {
              {"a", ipv4_client, SpfMatch::match},
              {"a//64", ipv4_client, SpfMatch::match},
              {"a", "192.0.2.2", SpfMatch::no_match},
              {"a/24", "192.0.2.2", SpfMatch::match},
              {"a/24", ipv6_client, SpfMatch::no_match},
              {"a//64", ipv6_client, SpfMatch::match},
              {"a/0//121", ipv6_client, SpfMatch::match},
              {"a/0//122", ipv6_client, SpfMatch::no_match},
              {"a/0", "198.51.100.1", SpfMatch::match},
              {"a//0", "198.51.100.1", SpfMatch::no_match},
              {"a//0", "2a00::", SpfMatch::match},
          });
}

TEST_CASE("spf mechanism: /0 still needs an address of the family") {
    FakeResolver dns;
    dns.add_address("example.org", "192.0.2.77");
    dns.add_mx("example.org", 10, "example.org");
    check(dns,
          {
              {"a/0//0", ipv4_client, SpfMatch::match},
              {"a/0//0", ipv6_client, SpfMatch::no_match},
              {"mx/0//0", ipv4_client, SpfMatch::match},
              {"mx/0//0", ipv6_client, SpfMatch::no_match},
          });
}

TEST_CASE("spf mechanism: mx asks all hosts at once, and compares them one by one") {
    FakeResolver dns;
    dns.add_mx("example.org", 10, "a.example.org");
    dns.add_mx("example.org", 20, "b.example.org");
    dns.add_address("b.example.org", ipv6_client);
    CHECK(match(dns, "mx", ipv6_client) == SpfMatch::match);
    CHECK(dns.asked == std::vector<verify::Question>{{"example.org", RecordType::mx},
                                                     {"a.example.org", RecordType::aaaa},
                                                     {"b.example.org", RecordType::aaaa}});
    CHECK(match(dns, "mx", ipv4_client) == SpfMatch::no_match);
}

TEST_CASE("spf mechanism: a null MX names no host") {
    FakeResolver dns;
    dns.add_mx("example.org", 0, ".");
    CHECK(outcome_of(dns, "mx", ipv6_client) == SpfMatchOutcome{});
    CHECK(dns.asked.size() == 1);
}

TEST_CASE("spf mechanism: more than ten MX are an error, wherever the client is among them") {
    FakeResolver dns;
    dns.add_address("h.example.org", ipv6_client);
    for (std::uint16_t i = 0; i < 10; ++i) {
        dns.add_mx("example.org", i, "h.example.org");
    }
    CHECK(match(dns, "mx", ipv6_client) == SpfMatch::match);
    dns.add_mx("example.org", 10, "h.example.org");
    const auto outcome = outcome_of(dns, "mx", ipv6_client);
    CHECK(outcome.match == SpfMatch::permerror);
    CHECK(outcome.problem == "example.org has more than 10 MX");
}

TEST_CASE("spf mechanism: exists asks for A, whatever the client") {
    FakeResolver dns;
    dns.add_address("example.org", "127.0.0.2");
    dns.add_address("ip6.example.org", "2001:db8::2");
    CHECK(outcome_of(dns, "exists:x.example", ipv6_client).match == SpfMatch::match);
    CHECK(outcome_of(dns, "exists:x.example", ipv6_client, "ip6.example.org") ==
          SpfMatchOutcome{SpfMatch::no_match, true, {}});
}

TEST_CASE("spf mechanism: ptr matches names at or below the target that lead back") {
    FakeResolver dns;
    dns.add_ptr(ipv6_client, "forged.example.org");
    dns.add_ptr(ipv6_client, "mx.example.net.");
    dns.add_ptr(ipv6_client, "Mx.Example.Org");
    dns.add_address("mx.example.org", ipv6_client);
    dns.add_address("mx.example.net", ipv6_client);
    const auto under = [&dns](const std::string& target) {
        return outcome_of(dns, "ptr", ipv6_client, target).match;
    };
    CHECK(under("example.org") == SpfMatch::match);
    CHECK(under("MX.EXAMPLE.ORG") == SpfMatch::match);
    CHECK(under("mx.example.net") == SpfMatch::match);
    CHECK(under("forged.example.org") == SpfMatch::no_match);
    CHECK(under("ample.org") == SpfMatch::no_match);
    CHECK(under("example.com") == SpfMatch::no_match);
}

TEST_CASE("spf mechanism: trouble under ptr is no error") {
    FakeResolver dns;
    for (int i = 0; i < 9; ++i) {
        dns.add_ptr(ipv6_client, "h.example.org");
    }
    dns.fail("h.example.org", RecordType::aaaa, LookupFailure::server_failure);
    dns.add_address("mx.example.org", ipv6_client);
    dns.add_ptr(ipv6_client, "mx.example.org");
    CHECK(outcome_of(dns, "ptr", ipv6_client) == SpfMatchOutcome{SpfMatch::match, false, {}});

    FakeResolver dead;
    dead.fail(policy::Address::parse(ipv6_client)->reverse_name(),
              RecordType::ptr,
              LookupFailure::timeout);
    CHECK(outcome_of(dead, "ptr", ipv6_client) == SpfMatchOutcome{});
}

TEST_CASE("spf mechanism: the eleventh name of a client does not count") {
    FakeResolver dns;
    for (int i = 0; i < 10; ++i) {
        dns.add_ptr(ipv6_client, "h.example.org");
    }
    dns.add_ptr(ipv6_client, "mx.example.org");
    dns.add_address("mx.example.org", ipv6_client);
    CHECK(outcome_of(dns, "ptr", ipv6_client) == SpfMatchOutcome{});
}

TEST_CASE("spf mechanism: what is not there is void, what has IPv4 only is not") {
    FakeResolver dns;
    dns.add_address("v4only.example.org", "192.0.2.7");
    const auto is_void = [&dns](const std::string& term, const std::string& target) {
        const auto outcome = outcome_of(dns, term, ipv6_client, target);
        CHECK(outcome.match == SpfMatch::no_match);
        return outcome.is_void;
    };
    CHECK(is_void("a", "missing.example.org"));
    CHECK(is_void("mx", "missing.example.org"));
    CHECK(is_void("mx", "v4only.example.org"));
    CHECK(is_void("exists:x.example", "missing.example.org"));
    CHECK(is_void("ptr", "example.org"));
    CHECK_FALSE(is_void("a", "v4only.example.org"));
    dns.add_mx("example.org", 10, "v4only.example.org");
    dns.add_mx("example.org", 10, "missing.example.org");
    CHECK_FALSE(is_void("mx", "example.org"));
}

TEST_CASE("spf mechanism: a failing look-up is named") {
    FakeResolver dns;
    dns.fail("example.org", RecordType::aaaa, LookupFailure::server_failure);
    CHECK(outcome_of(dns, "a", ipv6_client) ==
          SpfMatchOutcome{SpfMatch::temperror, false, "AAAA example.org: server failure"});
    dns.stall("example.org", RecordType::mx);
    CHECK(outcome_of(dns, "mx", ipv6_client) ==
          SpfMatchOutcome{SpfMatch::temperror, false, "MX example.org: timeout"});
    CHECK(outcome_of(dns, "exists:x.example", ipv6_client, "a\rb.example.org").problem.empty());
}

TEST_CASE("spf mechanism: no name is too odd for it") {
    FakeResolver dns;
    const std::vector<std::string> names{"",
                                         ".",
                                         "..",
                                         "a..example.org",
                                         std::string{"a\0b.example.org", 15},
                                         "\xc3\xbc.example.org",
                                         "a b%{d}/24 -all.example.org",
                                         std::string(253, '\\'),
                                         std::string(126, 'a') + '.' + std::string(126, '%'),
                                         "a\r\nb.example.org"};
    for (const auto& name : names) {
        for (const auto* const term : {"a/24//64", "mx", "exists:x.example"}) {
            CAPTURE(name);
            CAPTURE(term);
            CHECK(outcome_of(dns, term, ipv6_client, name) ==
                  SpfMatchOutcome{SpfMatch::no_match, true, {}});
        }
    }
    dns.add_ptr(ipv6_client, std::string(1000, 'x') + ".example.org");
    dns.add_ptr(ipv6_client, "");
    CHECK(match(dns, "ptr", ipv6_client) == SpfMatch::no_match);
}

TEST_CASE("spf mechanism: an octet is asked for as it is") {
    FakeResolver dns;
    dns.add_address("a\\\\b %c.example.org", "192.0.2.1");
    CHECK(outcome_of(dns, "a", ipv4_client, "a\\b %c.example.org").match == SpfMatch::match);
}

TEST_CASE("spf mechanism: what is thrown below the library comes out above it") {
    // Answers so many questions, and then has no memory left.
    class Exhausted final : public verify::Resolver {
    public:
        explicit Exhausted(int answers) : left_{answers} {
            zone_.add_mx("example.org", 10, "one.example.org");
            zone_.add_mx("example.org", 20, "two.example.org");
            zone_.add_ptr(ipv6_client, "one.example.org");
            zone_.add_address("one.example.org", "2001:db8::2");
            zone_.add_address("two.example.org", "2001:db8::2");
        }

        std::shared_ptr<verify::PendingAnswer> ask(const verify::Question& question) override {
            if (left_-- == 0) {
                throw std::bad_alloc{};
            }
            return zone_.ask(question);
        }

    private:
        FakeResolver zone_;
        int left_;
    };

    for (const std::string term : {"a:one.example.org", "mx", "ptr", "exists:one.example.org"}) {
        CAPTURE(term);
        const auto directive = verify::parse_spf_record("v=spf1 " + term)->directives.front();
        const auto client = policy::Address::parse(ipv6_client).value();
        bool has_thrown = true;
        for (int answers = 0; has_thrown; ++answers) {
            Exhausted dns{answers};
            Lookups lookups{dns};
            try {
                verify::match_spf_mechanism(
                    lookups, client, directive, term == "mx" ? "example.org" : "one.example.org");
                has_thrown = false;
            } catch (const std::bad_alloc&) {
            }
            CHECK((answers > 0 || has_thrown));
        }
    }
}
