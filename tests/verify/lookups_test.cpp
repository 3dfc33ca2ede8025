#include "milter/verify/lookups.hpp"
#include "tests/verify/fake_resolver.hpp"

#include <doctest/doctest.h>

#include <chrono>

using tests::FakeResolver;
using verify::LookupFailure;
using verify::Lookups;
using verify::RecordType;

TEST_CASE("a message never sees two answers to one question") {
    FakeResolver dns;
    Lookups lookups{dns};
    dns.add_txt("example.org", "first");
    CHECK(lookups.lookup({"Example.ORG.", RecordType::txt})->texts.front() == "first");
    dns.fail("example.org", RecordType::txt, LookupFailure::server_failure);
    CHECK(lookups.lookup({"example.org", RecordType::txt})->texts.front() == "first");
    CHECK(dns.asked.size() == 1);
    CHECK(lookups.used().size() == 1);
}

TEST_CASE("what was started is not asked again, and not used until it is looked up") {
    FakeResolver dns;
    Lookups lookups{dns};
    lookups.start({"example.org", RecordType::txt});
    CHECK(lookups.used().empty());
    lookups.lookup({"example.org", RecordType::txt});
    CHECK(dns.asked.size() == 1);
}

TEST_CASE("an answer that does not come by the deadline is a timeout, for good") {
    FakeResolver dns;
    dns.stall("example.org", RecordType::txt);
    Lookups lookups{dns};
    lookups.set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds{10});
    CHECK(lookups.lookup({"example.org", RecordType::txt}).error() == LookupFailure::timeout);
    CHECK(lookups.lookup({"example.org", RecordType::txt}).error() == LookupFailure::timeout);
    CHECK(dns.asked.size() == 1);
}

TEST_CASE("whoever waits long is told so") {
    FakeResolver dns;
    dns.stall("example.org", RecordType::txt);
    int calls = 0;
    Lookups lookups{dns, [&] { ++calls; }};
    lookups.set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds{2100});
    lookups.lookup({"example.org", RecordType::txt});
    CHECK(calls == 1);
}
