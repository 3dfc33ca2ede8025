#include "milter/verify/dns_message.hpp"
#include "tests/verify/dns_packet.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using policy::Address;
using tests::DnsPacket;
using tests::Octets;
using verify::LookupFailure;
using verify::parse_answer;
using verify::Question;
using verify::RecordType;
namespace rr = tests::rr;

namespace {

const Question txt_question{"example.org", RecordType::txt};
const Question aaaa_question{"mail.example.org", RecordType::aaaa};
const Question ptr_question{"1.example.org", RecordType::ptr};
const Question mx_question{"example.org", RecordType::mx};

DnsPacket reply_to(const Question& question) {
    return {question.name, static_cast<std::size_t>(question.type)};
}

using Texts = std::vector<std::string>;

Texts texts_in(const DnsPacket& packet) {
    return parse_answer(txt_question, packet.octets()).answer.value().texts;
}

LookupFailure failure_in(const Question& question, const Octets& packet) {
    const auto result = parse_answer(question, packet);
    REQUIRE_FALSE(result.answer.has_value());
    return result.answer.error();
}

LookupFailure failure_in(const DnsPacket& packet) {
    return failure_in(txt_question, packet.octets());
}

} // namespace

TEST_CASE("parse_answer: each type fills its own list") {
    const auto addresses =
        reply_to(aaaa_question)
            .answer("mail.example.org", rr::aaaa, 60, tests::address_octets("2001:db8::1"))
            .answer("mail.example.org", rr::aaaa, 60, tests::address_octets("2001:db8::2"));
    CHECK(parse_answer(aaaa_question, addresses.octets()).answer->addresses ==
          std::vector{*Address::parse("2001:db8::1"), *Address::parse("2001:db8::2")});

    const Question a{"mail.example.org", RecordType::a};
    const auto ipv4 =
        reply_to(a).answer("mail.example.org", rr::a, 60, tests::address_octets("192.0.2.1"));
    CHECK(parse_answer(a, ipv4.octets()).answer->addresses ==
          std::vector{*Address::parse("192.0.2.1")});

    const auto names = reply_to(ptr_question)
                           .answer("1.example.org", rr::ptr, 60, tests::name_octets("Mail.example"))
                           .answer("1.example.org", rr::ptr, 60, tests::labels({"a.b\\", "c d"}))
                           .answer("1.example.org", rr::ptr, 60, tests::labels({}));
    CHECK(parse_answer(ptr_question, names.octets()).answer->names ==
          Texts{"Mail.example", "a\\.b\\\\.c\\032d", "."});

    const auto hosts = reply_to(mx_question)
                           .answer("example.org", rr::mx, 60, tests::mx_octets(10, "mx.example"))
                           .answer("example.org", rr::mx, 60, tests::mx_octets(0, ""));
    CHECK(parse_answer(mx_question, hosts.octets()).answer->mail_exchanges ==
          std::vector<verify::MailExchange>{{10, "mx.example"}, {0, "."}});

    const auto texts =
        reply_to(txt_question)
            .answer("example.org", rr::txt, 60, tests::strings({"v=spf1", "", " -all"}));
    CHECK(texts_in(texts) == Texts{"v=spf1 -all"});
}

TEST_CASE("parse_answer: a SRV question only tells whether there is one") {
    const Question srv{"_mx6._tcp.example.org", RecordType::srv};
    const auto packet = reply_to(srv).answer(srv.name, 33, 60, {0, 0, 0, 0, 0, 25, 0});
    CHECK(parse_answer(srv, packet.octets()).answer.has_value());
    CHECK(failure_in(srv, reply_to(srv).octets()) == LookupFailure::no_record);
}

TEST_CASE("parse_answer: the chain is followed, and nothing but the chain") {
    const auto packet = reply_to(txt_question)
                            .answer("c.example", rr::txt, 300, tests::strings({"end"}))
                            .answer("evil.example", rr::txt, 1, tests::strings({"evil"}))
                            .answer("Example.ORG", rr::cname, 200, tests::name_octets("B.example"))
                            .answer("b.example", rr::cname, 100, tests::name_octets("C.example"))
                            .answer("b.example", rr::txt, 1, tests::strings({"beside an alias"}))
                            .answer("C.Example", rr::txt, 400, tests::strings({"second"}))
                            .additional("c.example", rr::txt, 1, tests::strings({"extra"}));
    const auto result = parse_answer(txt_question, packet.octets());
    CHECK(result.answer->texts == Texts{"end", "second"});
    CHECK(result.ttl == 100s);
}

TEST_CASE("parse_answer: a dot inside a label is not a dot between labels") {
    const Question asked{"a\\.b.example.org", RecordType::txt};
    DnsPacket packet{tests::labels({"a.b", "example", "org"}), rr::txt};
    packet.record(
        1, tests::labels({"a", "b", "example", "org"}), rr::txt, 60, tests::strings({"no"}));
    packet.record(
        1, tests::labels({"A.B", "example", "org"}), rr::txt, 60, tests::strings({"yes"}));
    CHECK(parse_answer(asked, packet.octets()).answer->texts == Texts{"yes"});
    CHECK(failure_in({"a.b.example.org", RecordType::txt}, packet.octets()) ==
          LookupFailure::server_failure);
}

TEST_CASE("parse_answer: compressed names") {
    Octets owner{0xc0, 12};
    auto packet = reply_to(ptr_question);
    packet.record(1, owner, rr::ptr, 60, {4, 'm', 'a', 'i', 'l', 0xc0, 14});
    CHECK(parse_answer(ptr_question, packet.octets()).answer->names == Texts{"mail.example.org"});
}

TEST_CASE("parse_answer: when there is nothing") {
    struct Case {
        const char* name;
        DnsPacket packet;
        LookupFailure failure;
        std::chrono::seconds ttl;
    };

    const auto reply = reply_to(txt_question);
    const auto with_soa = [&](std::size_t rcode, std::size_t ttl, std::size_t minimum) {
        return reply_to(txt_question)
            .rcode(rcode)
            .authority("example.org", rr::soa, ttl, tests::soa_octets(minimum));
    };
    const auto alias = [&](std::size_t rcode) {
        return reply_to(txt_question)
            .rcode(rcode)
            .answer("example.org", rr::cname, 30, tests::name_octets("b.example"));
    };
    const std::vector<Case> cases{
        {"NXDOMAIN", with_soa(3, 900, 600), LookupFailure::no_such_domain, 600s},
        {"NODATA", with_soa(0, 300, 600), LookupFailure::no_record, 300s},
        {"no SOA, no keeping", reply_to(txt_question).rcode(3), LookupFailure::no_such_domain, 0s},
        {"NODATA without authority", reply, LookupFailure::no_record, 0s},
        {"the highest bit of a TTL",
         with_soa(3, 0x80000001, 600),
         LookupFailure::no_such_domain,
         0s},
        {"an alias to nowhere",
         alias(3).authority("example", rr::soa, 900, tests::soa_octets(900)),
         LookupFailure::no_such_domain,
         30s},
        {"an alias without the record",
         alias(0).authority("example", rr::soa, 900, tests::soa_octets(900)),
         LookupFailure::no_record,
         30s},
        {"another type only",
         reply_to(txt_question)
             .answer("example.org", rr::a, 60, tests::address_octets("192.0.2.1")),
         LookupFailure::no_record,
         0s},
        {"another owner only",
         reply_to(txt_question).answer("example.net", rr::txt, 60, tests::strings({"x"})),
         LookupFailure::no_record,
         0s},
        {"a referral",
         reply_to(txt_question).authority("org", rr::ns, 900, tests::name_octets("ns.example.org")),
         LookupFailure::server_failure,
         5s},
        {"neither authoritative nor recursive",
         reply_to(txt_question).flags(0x8100),
         LookupFailure::server_failure,
         5s},
        {"authoritative, not recursive",
         reply_to(txt_question).flags(0x8500),
         LookupFailure::no_record,
         0s},
        {"FORMERR", reply_to(txt_question).rcode(1), LookupFailure::server_failure, 5s},
        {"SERVFAIL", reply_to(txt_question).rcode(2), LookupFailure::server_failure, 5s},
        {"NOTIMP", reply_to(txt_question).rcode(4), LookupFailure::server_failure, 5s},
        {"REFUSED", reply_to(txt_question).rcode(5), LookupFailure::server_failure, 5s},
        {"BADVERS, whose lower bits are NOERROR",
         reply_to(txt_question).additional("", rr::opt, 0x01000000, {}),
         LookupFailure::server_failure,
         5s},
        {"an OPT that says nothing",
         reply_to(txt_question).additional("", rr::opt, 0, {}),
         LookupFailure::no_record,
         0s},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            const auto result = parse_answer(txt_question, c.packet.octets());
            REQUIRE_FALSE(result.answer.has_value());
            CHECK(result.answer.error() == c.failure);
            CHECK(result.ttl == c.ttl);
        }
    }
}

TEST_CASE("parse_answer: what makes no sense is a server failure") {
    struct Case {
        const char* name;
        DnsPacket packet;
    };

    const auto answer = [](std::size_t type, const Octets& data) {
        return reply_to(txt_question).answer("example.org", type, 60, data);
    };
    const std::vector<Case> cases{
        {"another name in the question", DnsPacket{"example.net", rr::txt}},
        {"another type in the question", DnsPacket{"example.org", rr::a}},
        {"no question", reply_to(txt_question).count(0, 0)},
        {"two questions", reply_to(txt_question).count(0, 2)},
        {"a query", reply_to(txt_question).flags(0x0100)},
        {"another opcode", reply_to(txt_question).flags(0xa980)},
        {"cut, even over TCP", answer(rr::txt, tests::strings({"x"})).flags(0x8380)},
        {"more records promised than there are", answer(rr::txt, {1, 'x'}).count(1, 2)},
        {"a TXT without a string", answer(rr::txt, {})},
        {"a string longer than its record", answer(rr::txt, {5, 'x'})},
        {"an alias to itself", answer(rr::cname, tests::name_octets("example.org"))},
        {"an alias with more behind it", answer(rr::cname, {1, 'a', 0, 0})},
        {"an alias that loops by compression", answer(rr::cname, {0xc0, 40})},
        {"an alias in a circle",
         answer(rr::cname, tests::name_octets("b.example"))
             .answer("b.example", rr::cname, 60, tests::name_octets("example.org"))},
        {"one record of two that cannot be read",
         answer(rr::txt, tests::strings({"x"})).answer("example.org", rr::txt, 60, {9})},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            CHECK(failure_in(c.packet) == LookupFailure::server_failure);
        }
    }
}

TEST_CASE("parse_answer: records of the wrong size") {
    const auto bad = [](const Question& question, const Octets& data) {
        const auto packet = reply_to(question).answer(
            question.name, static_cast<std::size_t>(question.type), 60, data);
        return failure_in(question, packet.octets());
    };
    const auto failure = LookupFailure::server_failure;
    CHECK(bad(aaaa_question, {192, 0, 2, 1}) == failure);
    CHECK(bad({"example.org", RecordType::a}, Octets(16, 0)) == failure);
    CHECK(bad(mx_question, {0}) == failure);
    CHECK(bad(mx_question, {0, 10}) == failure);
    CHECK(bad(mx_question, {0, 10, 3, 'a'}) == failure);
    CHECK(bad(ptr_question, {}) == failure);
    CHECK(bad(ptr_question, {0xc0, 0xff}) == failure);
}

TEST_CASE("parse_answer: long chains end") {
    const auto chain = [](int length) {
        auto packet = reply_to(txt_question);
        std::string name = "example.org";
        for (int i = 0; i < length; ++i) {
            const std::string next = std::to_string(i) + ".example";
            packet.answer(name, rr::cname, 60, tests::name_octets(next));
            name = next;
        }
        return packet.answer(name, rr::txt, 60, tests::strings({"end"}));
    };
    CHECK(texts_in(chain(16)) == Texts{"end"});
    CHECK(failure_in(chain(17)) == LookupFailure::server_failure);
}

TEST_CASE("parse_answer: a great many records are cut, not refused") {
    auto packet = reply_to(txt_question);
    for (int i = 0; i < 1000; ++i) {
        packet.answer("example.org", rr::txt, 60, tests::strings({"x"}));
    }
    CHECK(texts_in(packet).size() == 256);
}

TEST_CASE("parse_answer: addresses are not cut") {
    auto packet = reply_to(aaaa_question);
    for (int i = 0; i < 1000; ++i) {
        packet.answer(aaaa_question.name, rr::aaaa, 60, Octets(16));
    }
    CHECK(parse_answer(aaaa_question, packet.octets()).answer.value().addresses.size() == 1000);
}

TEST_CASE("parse_answer: no prefix and no damaged octet of a packet does harm") {
    const Octets whole = reply_to(txt_question)
                             .answer("example.org", rr::cname, 60, tests::name_octets("b.example"))
                             .answer("b.example", rr::txt, 60, tests::strings({"one", "two"}))
                             .authority("example", rr::soa, 60, tests::soa_octets(60))
                             .additional("", rr::opt, 0, {})
                             .octets();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const Octets part{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)};
        CHECK(failure_in(txt_question, part) == LookupFailure::server_failure);
    }
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (unsigned value = 0; value < 256; ++value) {
            Octets damaged = whole;
            damaged[i] = static_cast<std::uint8_t>(value);
            parse_answer(txt_question, damaged);
        }
    }
}

TEST_CASE("failed: how long a failure is remembered") {
    CHECK(verify::failed(LookupFailure::server_failure).ttl == 5s);
    CHECK(verify::failed(LookupFailure::timeout).ttl == 10s);
    CHECK(verify::failed(LookupFailure::no_such_domain).ttl == 0s);
}
