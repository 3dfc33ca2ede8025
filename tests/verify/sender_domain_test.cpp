#include "milter/verify/sender_domain.hpp"
#include "tests/verify/cares_questions.hpp"
#include "tests/verify/fake_resolver.hpp"
#include "tests/verify/scripted_dns_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using policy::SenderDomainEvidence;
using policy::SenderDomainResult;
using tests::FakeResolver;
using verify::LookupFailure;
using verify::Question;
using verify::RecordType;

namespace {

constexpr const char* domain = "example.org";

SenderDomainEvidence check_domain(FakeResolver& dns, std::string_view name = domain) {
    verify::Lookups lookups{dns};
    return verify::check_sender_domain(lookups, name);
}

std::string host_number(int number) {
    return "mx" + std::to_string(number) + ".example";
}

// Hosts 1 to `count`, the first of them preferred.
void add_hosts(FakeResolver& dns, int count) {
    for (int i = count; i >= 1; --i) {
        dns.add_mx(domain, static_cast<std::uint16_t>(i), host_number(i));
    }
}

void add_host(FakeResolver& dns, const char* address) {
    dns.add_mx(domain, 10, "mx.example");
    dns.add_address("mx.example", address);
}

struct DomainCase {
    const char* name;
    void (*zone)(FakeResolver&);
    SenderDomainEvidence evidence;
};

constexpr SenderDomainEvidence over_ipv6{SenderDomainResult::reachable, true};
constexpr SenderDomainEvidence over_ipv4{SenderDomainResult::reachable, false};
constexpr SenderDomainEvidence no_zone{SenderDomainResult::unreachable, false};
constexpr SenderDomainEvidence null_mx{SenderDomainResult::null_mx, false};

const std::vector<DomainCase> domain_cases{
    {"an MX host with A", [](FakeResolver& dns) { add_host(dns, "192.0.2.1"); }, over_ipv4},
    {"an MX host with AAAA alone",
     [](FakeResolver& dns) { add_host(dns, "2001:db8::1"); },
     over_ipv6},
    {"an MX host with both",
     [](FakeResolver& dns) {
         add_host(dns, "192.0.2.1");
         dns.add_address("mx.example", "2001:db8::1");
     },
     over_ipv6},
    {"the second host has AAAA",
     [](FakeResolver& dns) {
         add_hosts(dns, 2);
         dns.add_address(host_number(1), "192.0.2.1");
         dns.add_address(host_number(2), "2001:db8::1");
     },
     over_ipv6},
    {"a host without address before one that has",
     [](FakeResolver& dns) {
         add_hosts(dns, 2);
         dns.add_address(host_number(2), "192.0.2.1");
     },
     over_ipv4},
    {"MX hosts without address", [](FakeResolver& dns) { add_hosts(dns, 2); }, no_zone},
    {"MX hosts without address, and the domain has one: MX means that it is not asked",
     [](FakeResolver& dns) {
         add_hosts(dns, 2);
         dns.add_address(domain, "192.0.2.1");
     },
     no_zone},
    {"no such domain", [](FakeResolver&) {}, no_zone},
    {"a domain with neither MX nor address",
     [](FakeResolver& dns) { dns.add_txt(domain, "v=spf1 -all"); },
     no_zone},
    {"the implicit MX with A",
     [](FakeResolver& dns) { dns.add_address(domain, "192.0.2.1"); },
     over_ipv4},
    {"the implicit MX with AAAA alone",
     [](FakeResolver& dns) { dns.add_address(domain, "2001:db8::1"); },
     over_ipv6},
    {"a null MX", [](FakeResolver& dns) { dns.add_mx(domain, 0, "."); }, null_mx},
    {"a null MX beside an address",
     [](FakeResolver& dns) {
         dns.add_mx(domain, 0, ".");
         dns.add_address(domain, "192.0.2.1");
     },
     null_mx},
    {"a root host with another preference is no null MX",
     [](FakeResolver& dns) {
         dns.add_mx(domain, 10, ".");
         dns.add_address(domain, "192.0.2.1");
     },
     no_zone},
    {"a root host beside another is no null MX",
     [](FakeResolver& dns) {
         dns.add_mx(domain, 0, ".");
         add_host(dns, "192.0.2.1");
     },
     over_ipv4},
    {"the tenth host counts",
     [](FakeResolver& dns) {
         add_hosts(dns, 11);
         dns.add_address(host_number(10), "192.0.2.1");
     },
     over_ipv4},
    {"the eleventh does not",
     [](FakeResolver& dns) {
         add_hosts(dns, 11);
         dns.add_address(host_number(11), "192.0.2.1");
     },
     no_zone},
    {"names that differ in case are one host",
     [](FakeResolver& dns) {
         for (int i = 0; i < 10; ++i) {
             std::string host = "aaaaaaaaaa.example";
             host.at(static_cast<std::size_t>(i)) = 'A';
             dns.add_mx(domain, 1, host);
         }
         add_host(dns, "192.0.2.1");
     },
     over_ipv4},
};

const std::vector<DomainCase> cases_of_trouble{
    {"MX: SERVFAIL",
     [](FakeResolver& dns) { dns.fail(domain, RecordType::mx, LookupFailure::server_failure); },
     {SenderDomainResult::temperror, false}},
    {"MX: never answered",
     [](FakeResolver& dns) {
         dns.stall(domain, RecordType::mx);
         dns.add_address(domain, "2001:db8::1");
     },
     {SenderDomainResult::temperror, false}},
    {"A could not be looked up, AAAA is not there",
     [](FakeResolver& dns) {
         add_hosts(dns, 1);
         dns.fail(host_number(1), RecordType::a, LookupFailure::timeout);
     },
     {SenderDomainResult::temperror, false}},
    {"AAAA could not be looked up, A is not there",
     [](FakeResolver& dns) {
         add_hosts(dns, 1);
         dns.fail(host_number(1), RecordType::aaaa, LookupFailure::server_failure);
     },
     {SenderDomainResult::temperror, true}},
    {"AAAA could not be looked up, A is there: reachable, and nothing is said of IPv6",
     [](FakeResolver& dns) {
         add_host(dns, "192.0.2.1");
         dns.fail("mx.example", RecordType::aaaa, LookupFailure::server_failure);
     },
     over_ipv6},
    {"one host could not be looked up, another has an address",
     [](FakeResolver& dns) {
         add_hosts(dns, 2);
         dns.fail(host_number(1), RecordType::a, LookupFailure::timeout);
         dns.add_address(host_number(2), "192.0.2.1");
     },
     over_ipv4},
    {"one host could not be looked up, another has none",
     [](FakeResolver& dns) {
         add_hosts(dns, 2);
         dns.fail(host_number(2), RecordType::a, LookupFailure::timeout);
     },
     {SenderDomainResult::temperror, false}},
    {"the implicit MX could not be looked up",
     [](FakeResolver& dns) {
         dns.add_txt(domain, "");
         dns.fail(domain, RecordType::a, LookupFailure::server_failure);
     },
     {SenderDomainResult::temperror, false}},
    {"A never answered, AAAA is there",
     [](FakeResolver& dns) {
         dns.add_address(domain, "2001:db8::1");
         dns.stall(domain, RecordType::a);
     },
     over_ipv6},
};

void check_all(const std::vector<DomainCase>& rows) {
    for (const auto& c : rows) {
        SUBCASE(c.name) {
            FakeResolver dns;
            c.zone(dns);
            CHECK(check_domain(dns) == c.evidence);
        }
    }
}

} // namespace

TEST_CASE("check_sender_domain: where mail for it goes") {
    check_all(domain_cases);
}

TEST_CASE("check_sender_domain: what cannot be looked up is not held against it") {
    check_all(cases_of_trouble);
}

TEST_CASE("check_sender_domain: an address literal is reachable, no domain is not") {
    FakeResolver dns;
    CHECK(check_domain(dns, "[192.0.2.1]") == over_ipv4);
    CHECK(check_domain(dns, "[IPv6:2001:db8::1]") == over_ipv6);
    CHECK(check_domain(dns, "") == no_zone);
    CHECK(dns.asked.empty());
}

TEST_CASE("check_sender_domain: a domain that does not exist is asked for once") {
    FakeResolver dns;
    check_domain(dns);
    CHECK(dns.asked == std::vector<Question>{{domain, RecordType::mx}});
}

TEST_CASE("check_sender_domain: asks for every host before it waits for the first") {
    FakeResolver dns;
    add_hosts(dns, 2);
    dns.stall(host_number(1), RecordType::aaaa);
    dns.add_address(host_number(2), "2001:db8::1");
    CHECK(check_domain(dns) == over_ipv6);
    CHECK(dns.asked == std::vector<Question>{{domain, RecordType::mx},
                                             {host_number(1), RecordType::aaaa},
                                             {host_number(1), RecordType::a},
                                             {host_number(2), RecordType::aaaa},
                                             {host_number(2), RecordType::a}});
}

// RFC 5321 section 5.1: the name that an alias leads to is looked up in its place.
TEST_CASE("check_sender_domain: an alias is followed, to an MX and to an address") {
    namespace rr = tests::rr;
    const tests::ScriptedDnsServer server{[](const tests::Received& query) -> tests::Packets {
        auto reply = query.reply();
        if (query.name == "mx-alias.example" || query.name == "host-alias.example") {
            reply.answer(query.name, rr::cname, 60, tests::name_octets("real." + query.name));
        }
        if (query.name == "mx-alias.example" && query.type == rr::mx) {
            reply.answer(
                "real.mx-alias.example", rr::mx, 60, tests::mx_octets(10, "host-alias.example"));
        }
        if (query.name == "host-alias.example" && query.type == rr::aaaa) {
            reply.answer(
                "real.host-alias.example", rr::aaaa, 60, tests::address_octets("2001:db8::1"));
        }
        return {reply.authority("example", rr::soa, 60, tests::soa_octets(60)).octets()};
    }};
    verify::CaresResolver dns{tests::settings({server.address()})};
    for (const auto* const name : {"mx-alias.example", "host-alias.example"}) {
        CAPTURE(name);
        verify::Lookups lookups{dns};
        lookups.set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds{10});
        CHECK(verify::check_sender_domain(lookups, name) == over_ipv6);
    }
}

TEST_CASE("start_sender_domain: asks what the check will ask") {
    const auto asked_by = [](FakeResolver& dns, auto&& ask) {
        dns.asked.clear();
        ask();
        auto asked = std::move(dns.asked);
        std::ranges::sort(asked);
        return asked;
    };
    for (const auto& c : domain_cases) {
        SUBCASE(c.name) {
            FakeResolver dns;
            c.zone(dns);
            const auto started =
                asked_by(dns, [&] { verify::start_sender_domain(dns, "Example.ORG"); });
            CHECK(started == asked_by(dns, [&] { check_domain(dns); }));
        }
    }
}

TEST_CASE("start_sender_domain: asks nothing where there is nothing to ask") {
    FakeResolver dns;
    verify::start_sender_domain(dns, "");
    verify::start_sender_domain(dns, "[192.0.2.1]");
    CHECK(dns.asked.empty());
    dns.fail(domain, RecordType::mx, LookupFailure::server_failure);
    verify::start_sender_domain(dns, domain);
    CHECK(dns.asked.size() == 1);
}
