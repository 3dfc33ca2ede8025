#include "milter/verify/dns_cache.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

using namespace std::chrono_literals;
using verify::Answer;
using verify::AnswerPtr;
using verify::DnsCache;
using verify::LookupFailure;
using verify::Question;
using verify::RecordType;

namespace {

constexpr DnsCache::TimePoint start{1000h};

Question question(int number) {
    return {"name" + std::to_string(number) + ".example.org", RecordType::txt};
}

AnswerPtr text(std::size_t length) {
    verify::Records records;
    records.texts.emplace_back(length, 'x');
    return std::make_shared<const Answer>(std::move(records));
}

AnswerPtr failure(LookupFailure kind) {
    return std::make_shared<const Answer>(tl::unexpected{kind});
}

} // namespace

TEST_CASE("an answer is kept for its TTL and not a moment longer") {
    DnsCache cache{100000};
    const auto answer = text(10);
    cache.store(question(1), answer, 60s, start);
    CHECK(cache.find(question(1), start + 59999ms) == answer);
    CHECK(cache.find(question(2), start) == nullptr);
    CHECK(cache.find({question(1).name, RecordType::mx}, start) == nullptr);
    CHECK(cache.find(question(1), start + 60s) == nullptr);
    CHECK(cache.octets() == 0);
    CHECK(cache.size() == 0);
}

TEST_CASE("however long a zone says, there is an end") {
    struct Case {
        const char* name;
        AnswerPtr answer;
        std::chrono::seconds end;
    };

    const Case cases[] = {
        {"records", text(1), 24h},
        {"NXDOMAIN", failure(LookupFailure::no_such_domain), 1h},
        {"NODATA", failure(LookupFailure::no_record), 1h},
        {"SERVFAIL", failure(LookupFailure::server_failure), 60s},
        {"timeout", failure(LookupFailure::timeout), 60s},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            DnsCache cache{100000};
            cache.store(question(1), c.answer, 1000h, start);
            CHECK(cache.find(question(1), start + c.end - 1s) != nullptr);
            CHECK(cache.find(question(1), start + c.end) == nullptr);
        }
    }
}

TEST_CASE("a TTL of zero is not kept, and ends what was") {
    DnsCache cache{100000};
    cache.store(question(1), text(1), 0s, start);
    CHECK(cache.size() == 0);
    cache.store(question(1), text(1), 60s, start);
    cache.store(question(1), text(1), 0s, start);
    CHECK(cache.find(question(1), start) == nullptr);
}

TEST_CASE("a newer answer takes the place of the older") {
    DnsCache cache{100000};
    cache.store(question(1), failure(LookupFailure::timeout), 10s, start);
    const auto answer = text(5000);
    cache.store(question(1), answer, 60s, start);
    CHECK(cache.find(question(1), start) == answer);
    CHECK(cache.size() == 1);
}

TEST_CASE("what was not used for longest goes first") {
    DnsCache measure{100000};
    measure.store(question(1), text(1000), 60s, start);
    const auto one = measure.octets();
    CHECK(one > 1000);

    DnsCache cache{3 * one};
    for (int i = 1; i <= 3; ++i) {
        cache.store(question(i), text(1000), 60s, start);
    }
    CHECK(cache.size() == 3);
    CHECK(cache.find(question(1), start) != nullptr);
    cache.store(question(4), text(1000), 60s, start);
    CHECK(cache.find(question(2), start) == nullptr);
    CHECK(cache.find(question(1), start) != nullptr);
    CHECK(cache.find(question(3), start) != nullptr);
    CHECK(cache.find(question(4), start) != nullptr);
}

TEST_CASE("the bound holds, whatever is stored") {
    DnsCache cache{20000};
    for (int i = 0; i < 1000; ++i) {
        cache.store(question(i % 300), text(static_cast<std::size_t>(i * 37 % 3000)), 60s, start);
        CHECK(cache.octets() <= 20000);
    }
    CHECK(cache.size() > 3);
    cache.store(question(9999), text(30000), 60s, start);
    CHECK(cache.find(question(9999), start) == nullptr);
    CHECK(cache.size() > 3);
}

TEST_CASE("a cache of no size keeps nothing") {
    DnsCache cache{0};
    cache.store(question(1), text(1), 60s, start);
    CHECK(cache.size() == 0);
}
