#include "milter/verify/spf_name.hpp"
#include "tests/verify/fake_resolver.hpp"

#include <doctest/doctest.h>

#include <string>

using tests::FakeResolver;
using verify::is_domain_name;
using verify::LookupFailure;
using verify::Lookups;
using verify::RecordType;

namespace {

const auto name_client = policy::Address::parse("2001:db8::1").value();

std::string name_under(FakeResolver& dns, std::string_view domain) {
    Lookups lookups{dns};
    return verify::validated_name(lookups, name_client, domain);
}

} // namespace

TEST_CASE("spf name: a domain name has several labels that fit") {
    CHECK(is_domain_name("example.org"));
    CHECK(is_domain_name("_spf.example.org"));
    CHECK(is_domain_name(std::string(63, 'a') + ".example.org"));
    CHECK_FALSE(is_domain_name(std::string(64, 'a') + ".example.org"));
    CHECK_FALSE(is_domain_name(""));
    CHECK_FALSE(is_domain_name("."));
    CHECK_FALSE(is_domain_name("localhost"));
    CHECK_FALSE(is_domain_name(".example.org"));
    CHECK_FALSE(is_domain_name("example..org"));
    CHECK_FALSE(is_domain_name("example.org."));
    CHECK_FALSE(is_domain_name("b\xc3\xbc"
                               "cher.example"));
    CHECK_FALSE(is_domain_name(std::string{"a\0b.example", 11}));
    std::string longest = "a";
    while (longest.size() < 253) {
        longest += ".a";
    }
    CHECK(is_domain_name(longest));
    CHECK_FALSE(is_domain_name("a." + longest));
}

TEST_CASE("spf name: a backslash is an octet of its label") {
    CHECK(verify::presentation_form("a\\b.example.org") == "a\\\\b.example.org");
}

TEST_CASE("spf name: the validated name is the domain, or below it, or any") {
    FakeResolver dns;
    for (const auto* const name : {"mx.example.net", "notexample.org", "A.example.org."}) {
        dns.add_ptr("2001:db8::1", name);
        dns.add_address(name, "2001:db8::1");
    }
    CHECK(name_under(dns, "example.org") == "a.example.org");
    CHECK(name_under(dns, "Example.Org") == "a.example.org");
    CHECK(name_under(dns, "notexample.org") == "notexample.org");
    CHECK(name_under(dns, "example.com") == "mx.example.net");
}

TEST_CASE("spf name: what does not lead back is not validated") {
    FakeResolver dns;
    CHECK(name_under(dns, "example.org") == "unknown");
    dns.add_ptr("2001:db8::1", "mx.example.org");
    CHECK(name_under(dns, "example.org") == "unknown");
    dns.add_address("mx.example.org", "2001:db8::2");
    dns.add_address("mx.example.org", "192.0.2.1");
    CHECK(name_under(dns, "example.org") == "unknown");
}

TEST_CASE("spf name: trouble with one name does not spoil the next") {
    FakeResolver dns;
    dns.add_ptr("2001:db8::1", "slow.example.org");
    dns.add_ptr("2001:db8::1", "mx.example.org");
    dns.stall("slow.example.org", RecordType::aaaa);
    dns.add_address("mx.example.org", "2001:db8::1");
    CHECK(name_under(dns, "example.org") == "mx.example.org");
    dns.fail(name_client.reverse_name(), RecordType::ptr, LookupFailure::server_failure);
    CHECK(name_under(dns, "example.org") == "unknown");
}

TEST_CASE("spf name: ten names, and no more") {
    FakeResolver dns;
    for (int i = 0; i < 10; ++i) {
        dns.add_ptr("2001:db8::1", "h" + std::to_string(i) + ".example.org");
    }
    dns.add_ptr("2001:db8::1", "mx.example.org");
    dns.add_address("mx.example.org", "2001:db8::1");
    CHECK(name_under(dns, "example.org") == "unknown");
    CHECK(dns.asked.size() == 11);
}
