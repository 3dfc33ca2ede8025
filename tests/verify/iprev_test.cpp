#include "milter/verify/iprev.hpp"
#include "tests/verify/fake_resolver.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using policy::Address;
using policy::IprevResult;
using policy::NameOutcome;
using tests::FakeResolver;
using verify::LookupFailure;
using verify::RecordType;

namespace {

constexpr const char* client = "2001:db8::25";

std::string name_number(int number) {
    return "n" + std::to_string(number) + ".example";
}

policy::IprevEvidence check(FakeResolver& dns, const char* address = client) {
    verify::Lookups lookups{dns};
    return verify::check_iprev(lookups, Address::parse(address).value());
}

struct Case {
    const char* name;
    void (*zone)(FakeResolver&);
    IprevResult result;
    std::vector<NameOutcome> outcomes;
    const char* client = ::client;
};

constexpr auto back = NameOutcome::leads_back;
constexpr auto elsewhere = NameOutcome::elsewhere;
constexpr auto nowhere = NameOutcome::no_address;
constexpr auto unknown = NameOutcome::not_looked_up;

void fail_reverse(FakeResolver& dns, LookupFailure failure) {
    dns.fail(Address::parse(client)->reverse_name(), RecordType::ptr, failure);
}

const std::vector<Case> cases{
    {"a name that leads back",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "mail.example");
         dns.add_address("mail.example", client);
     },
     IprevResult::pass,
     {back}},
    {"no PTR: NXDOMAIN", [](FakeResolver&) {}, IprevResult::permerror, {}},
    {"no PTR: the name exists",
     [](FakeResolver& dns) { fail_reverse(dns, LookupFailure::no_record); },
     IprevResult::permerror,
     {}},
    {"PTR: SERVFAIL",
     [](FakeResolver& dns) { fail_reverse(dns, LookupFailure::server_failure); },
     IprevResult::temperror,
     {}},
    {"PTR: timeout",
     [](FakeResolver& dns) { fail_reverse(dns, LookupFailure::timeout); },
     IprevResult::temperror,
     {}},
    {"PTR: never answered",
     [](FakeResolver& dns) { dns.stall(Address::parse(client)->reverse_name(), RecordType::ptr); },
     IprevResult::temperror,
     {}},
    {"a name that leads elsewhere",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "mail.example");
         dns.add_address("mail.example", "2001:db8::26");
     },
     IprevResult::fail,
     {elsewhere}},
    {"a name that does not exist",
     [](FakeResolver& dns) { dns.add_ptr(client, "mail.example"); },
     IprevResult::fail,
     {nowhere}},
    {"a name with an A record only",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "mail.example");
         dns.add_address("mail.example", "192.0.2.25");
     },
     IprevResult::fail,
     {nowhere}},
    {"a name that could not be looked up",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "mail.example");
         dns.fail("mail.example", RecordType::aaaa, LookupFailure::server_failure);
     },
     IprevResult::temperror,
     {unknown}},
    {"a name whose look-up never ends",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "mail.example");
         dns.stall("mail.example", RecordType::aaaa);
     },
     IprevResult::temperror,
     {unknown}},
    {"a failure beside one that leads back",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "slow.example");
         dns.add_ptr(client, "mail.example");
         dns.fail("slow.example", RecordType::aaaa, LookupFailure::server_failure);
         dns.add_address("mail.example", client);
     },
     IprevResult::pass,
     {unknown, back}},
    {"a failure beside one that leads elsewhere",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "mail.example");
         dns.add_ptr(client, "slow.example");
         dns.add_address("mail.example", "2001:db8::26");
         dns.fail("slow.example", RecordType::aaaa, LookupFailure::timeout);
     },
     IprevResult::temperror,
     {elsewhere, unknown}},
    {"the last of several leads back",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "a.example");
         dns.add_ptr(client, "b.example");
         dns.add_ptr(client, "c.example");
         dns.add_address("a.example", "2001:db8::26");
         dns.add_address("c.example", client);
     },
     IprevResult::pass,
     {elsewhere, nowhere, back}},
    {"one of several addresses is the client",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "mail.example");
         dns.add_address("mail.example", "2001:db8::1");
         dns.add_address("mail.example", "2001:db8:0:0:0:0:0:25");
     },
     IprevResult::pass,
     {back}},
    {"case does not matter",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "MAIL.Example");
         dns.add_address("mail.EXAMPLE", client);
     },
     IprevResult::pass,
     {back}},
    {"names that differ in case are one",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "mail.example");
         dns.add_ptr(client, "MAIL.example");
         dns.add_address("mail.example", client);
     },
     IprevResult::pass,
     {back}},
    {"the tenth name counts",
     [](FakeResolver& dns) {
         for (int i = 1; i <= 10; ++i) {
             dns.add_ptr(client, name_number(i));
         }
         dns.add_address(name_number(10), client);
     },
     IprevResult::pass,
     {nowhere, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere, back}},
    {"the eleventh does not, and is no temporary error",
     [](FakeResolver& dns) {
         for (int i = 1; i <= 11; ++i) {
             dns.add_ptr(client, name_number(i));
         }
         dns.add_address(name_number(11), client);
     },
     IprevResult::fail,
     std::vector<NameOutcome>(10, nowhere)},
    {"a dot inside a label",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "a\\.b.example");
         dns.add_address("a.b.example", client);
     },
     IprevResult::fail,
     {nowhere}},
    {"the root", [](FakeResolver& dns) { dns.add_ptr(client, "."); }, IprevResult::fail, {nowhere}},
    {"the same interface in another network",
     [](FakeResolver& dns) {
         dns.add_ptr(client, "mail.example");
         dns.add_address("mail.example", "2001:db8:1::25");
     },
     IprevResult::fail,
     {elsewhere}},
    {"an IPv4 client is confirmed by A",
     [](FakeResolver& dns) {
         dns.add_ptr("192.0.2.25", "mail.example");
         dns.add_address("mail.example", "192.0.2.25");
     },
     IprevResult::pass,
     {back},
     "192.0.2.25"},
    {"an IPv4 client in IPv6 notation is the same client",
     [](FakeResolver& dns) {
         dns.add_ptr("192.0.2.25", "mail.example");
         dns.add_address("mail.example", "192.0.2.25");
     },
     IprevResult::pass,
     {back},
     "::ffff:192.0.2.25"},
    {"an IPv4 client and a name with AAAA only",
     [](FakeResolver& dns) {
         dns.add_ptr("192.0.2.25", "mail.example");
         dns.add_address("mail.example", client);
     },
     IprevResult::fail,
     {nowhere},
     "192.0.2.25"},
};

} // namespace

TEST_CASE("check_iprev: every combination that matters") {
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            FakeResolver dns;
            c.zone(dns);
            const auto evidence = check(dns, c.client);
            std::vector<NameOutcome> outcomes;
            std::ranges::transform(
                evidence.names, std::back_inserter(outcomes), &policy::IprevName::outcome);
            CHECK(evidence.result == c.result);
            CHECK(outcomes == c.outcomes);
        }
    }
}

TEST_CASE("check_iprev: keeps the names and what each led to") {
    FakeResolver dns;
    dns.add_ptr(client, "Mail.Example");
    dns.add_ptr(client, "gone.example");
    dns.add_address("mail.example", "2001:db8::1");
    dns.add_address("mail.example", "2001:db8::2");
    CHECK(check(dns).names == std::vector<policy::IprevName>{{"Mail.Example",
                                                              elsewhere,
                                                              {*Address::parse("2001:db8::1"),
                                                               *Address::parse("2001:db8::2")}},
                                                             {"gone.example", nowhere, {}}});
}

TEST_CASE("check_iprev: of many addresses ten are kept and all are compared") {
    FakeResolver dns;
    dns.add_ptr(client, "mail.example");
    for (int i = 30; i < 50; ++i) {
        dns.add_address("mail.example", "2001:db8::" + std::to_string(i));
    }
    dns.add_address("mail.example", client);
    const auto evidence = check(dns);
    CHECK(evidence.result == IprevResult::pass);
    CHECK(evidence.names.front().addresses.size() == 10);
}

TEST_CASE("check_iprev: asks for every name before it waits for the first") {
    FakeResolver dns;
    dns.add_ptr(client, "a.example");
    dns.add_ptr(client, "b.example");
    dns.stall("a.example", RecordType::aaaa);
    dns.add_address("b.example", client);
    CHECK(check(dns).result == IprevResult::pass);
    CHECK(dns.asked ==
          std::vector<verify::Question>{{Address::parse(client)->reverse_name(), RecordType::ptr},
                                        {"a.example", RecordType::aaaa},
                                        {"b.example", RecordType::aaaa}});
}

TEST_CASE("start_iprev: asks for the addresses as soon as the names are in") {
    FakeResolver dns;
    for (int i = 1; i <= 12; ++i) {
        dns.add_ptr(client, name_number(i));
    }
    verify::start_iprev(dns, Address::parse(client).value());
    CHECK(dns.asked.size() == 11);
    CHECK(dns.asked.back() == verify::Question{name_number(10), RecordType::aaaa});
}

TEST_CASE("start_iprev: without a name there is nothing to ask for") {
    FakeResolver dns;
    verify::start_iprev(dns, Address::parse(client).value());
    CHECK(dns.asked.size() == 1);
}
