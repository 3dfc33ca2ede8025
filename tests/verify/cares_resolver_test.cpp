#include "milter/verify/cares_resolver.hpp"
#include "tests/verify/cares_questions.hpp"
#include "tests/verify/scripted_dns_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using tests::ask_for;
using tests::echo;
using tests::lookup;
using tests::Packets;
using tests::Received;
using tests::ScriptedDnsServer;
using tests::settings;
using tests::silence;
using tests::text_of;
using tests::text_reply;
using tests::Transport;
using tests::txt;
using tests::wait;
using verify::CaresResolver;
using verify::LookupFailure;
using verify::RecordType;
namespace rr = tests::rr;

TEST_CASE("an answer comes over IPv4 and over IPv6") {
    for (const char* address : {"127.0.0.1", "::1"}) {
        const ScriptedDnsServer server{echo, address};
        CaresResolver dns{settings({server.address()})};
        CHECK(text_of(lookup(dns, txt)) == "example.org");
        CHECK(dns.servers().at(0).to_string() == server.address());
        CHECK(dns.counters().questions == 1);
        REQUIRE(server.received().size() == 1);
        CHECK(server.received().at(0).payload == 1232);
    }
}

TEST_CASE("there is an answer that says no") {
    const ScriptedDnsServer server{[](const Received& query) -> Packets {
        auto reply = query.reply().rcode(query.name == "gone.example" ? 3 : 0);
        return {reply.authority("example", rr::soa, 60, tests::soa_octets(60)).octets()};
    }};
    CaresResolver dns{settings({server.address()})};
    for (int i = 0; i < 2; ++i) {
        CHECK(lookup(dns, {"gone.example", RecordType::txt}).error() ==
              LookupFailure::no_such_domain);
        CHECK(lookup(dns, {"there.example", RecordType::txt}).error() == LookupFailure::no_record);
    }
    CHECK(dns.counters().questions == 2);
    CHECK(dns.counters().cache_hits == 2);
    CHECK(dns.counters().failures == 0);
}

TEST_CASE("the same question is asked once: first under way, then in the cache") {
    std::latch may_answer{1};
    const ScriptedDnsServer server{[&](const Received& query) {
        may_answer.wait();
        return echo(query);
    }};
    CaresResolver dns{settings({server.address()})};
    const auto first = dns.ask(txt);
    const auto second = dns.ask({"EXAMPLE.org.", RecordType::txt});
    CHECK(first == second);
    CHECK(dns.counters().coalesced == 1);
    may_answer.count_down();
    CHECK(text_of(wait(*first)) == "example.org");
    CHECK(text_of(lookup(dns, txt)) == "example.org");
    CHECK(dns.counters().questions == 1);
    CHECK(dns.counters().cache_hits == 1);
    CHECK(dns.counters().cached_octets > 0);
    CHECK(server.received().size() == 1);
}

TEST_CASE("a TTL of zero is asked for again") {
    const ScriptedDnsServer server{
        [](const Received& query) { return Packets{text_reply(query, "x", 0)}; }};
    CaresResolver dns{settings({server.address()})};
    lookup(dns, txt);
    lookup(dns, txt);
    CHECK(server.received().size() == 2);
    CHECK(dns.counters().cached_octets == 0);
}

TEST_CASE("a truncated answer is had over TCP, in whatever pieces it comes") {
    const std::string long_text(250, 'x');
    const ScriptedDnsServer server{[&](const Received& query) -> Packets {
        if (query.transport == Transport::udp) {
            return {query.reply().flags(0x8380).octets()};
        }
        auto reply = query.reply();
        for (int i = 0; i < 100; ++i) {
            reply.answer(query.name, rr::txt, 60, tests::strings({long_text, long_text}));
        }
        return {reply.octets()};
    }};
    CaresResolver dns{settings({server.address()})};
    for (const char* name : {"a.example", "b.example"}) {
        const auto answer = lookup(dns, {name, RecordType::txt});
        REQUIRE(answer);
        CHECK(answer->texts.size() == 100);
        CHECK(answer->texts.back() == long_text + long_text);
    }
    CHECK(server.received().size() == 4);
}

TEST_CASE("an answer of the size that was offered is had over UDP") {
    const ScriptedDnsServer server{[](const Received& query) -> Packets {
        auto reply = query.reply();
        for (int i = 0; i < 5; ++i) {
            reply.answer(query.name, rr::txt, 60, tests::strings({std::string(200, 'x')}));
        }
        return {reply.octets()};
    }};
    CaresResolver dns{settings({server.address()})};
    CHECK(lookup(dns, txt)->texts.size() == 5);
    CHECK(server.received().size() == 1);
}

TEST_CASE("what cannot be asked for does not exist, and no server hears of it") {
    const ScriptedDnsServer server{echo};
    CaresResolver dns{settings({server.address()})};
    std::string too_long;
    for (int i = 0; i < 127; ++i) {
        too_long += "a.";
    }
    for (const auto& name : {std::string{},
                             std::string{"."},
                             std::string{"a..example"},
                             std::string{".example"},
                             std::string(64, 'a'),
                             too_long + "aa",
                             std::string{"a\\000.example"},
                             std::string{"a\0b", 3},
                             std::string{"hidden.onion"}}) {
        CAPTURE(name);
        CHECK(lookup(dns, {name, RecordType::txt}).error() == LookupFailure::no_such_domain);
    }
    CHECK(server.received().empty());
}

TEST_CASE("odd labels are asked for as they are") {
    const ScriptedDnsServer server{
        [](const Received& query) { return Packets{text_reply(query, "odd")}; }};
    CaresResolver dns{settings({server.address()})};
    for (const char* name : {"a\\.b.example",
                             "a\\\\.example",
                             "a\\032b.example",
                             "\\195\\164.example",
                             "a@b$.example",
                             "_dmarc.example"}) {
        CAPTURE(name);
        CHECK(text_of(lookup(dns, {name, RecordType::txt})) == "odd");
        CHECK(server.received().back().name == name);
    }
}

TEST_CASE("questions under way have ports of their own") {
    const ScriptedDnsServer server{silence};
    CaresResolver dns{settings({server.address()}, 10s)};
    for (int i = 0; i < 20; ++i) {
        dns.ask({std::to_string(i) + ".example", RecordType::txt});
    }
    REQUIRE(server.wait_for(20));
    std::set<unsigned> ports;
    std::set<std::size_t> ids;
    for (const auto& query : server.received()) {
        ports.insert(query.client_port);
        ids.insert(query.id);
    }
    CHECK(ports.size() == 20);
    CHECK(ids.size() > 10);
}

TEST_CASE("who is told an answer may ask on") {
    const ScriptedDnsServer server{echo};
    CaresResolver dns{settings({server.address()})};
    std::promise<std::string> last;
    dns.ask(txt)->then([&](const verify::Answer& first) {
        dns.ask({"next." + text_of(first), RecordType::txt})->then([&](const verify::Answer& next) {
            last.set_value(text_of(next));
        });
    });
    CHECK(last.get_future().get() == "next.example.org");
}

TEST_CASE("many threads ask many questions") {
    const ScriptedDnsServer server{echo};
    CaresResolver dns{settings({server.address()}, 10s)};
    constexpr int threads = 8;
    constexpr int rounds = 200;
    std::atomic<int> right{0};
    const auto ask_all = [&](int start) {
        for (int i = 0; i < rounds; ++i) {
            const std::string name = std::to_string((i * 7 + start) % 100) + ".example";
            const auto answer =
                dns.ask({name, RecordType::txt})->wait_until(steady_clock::now() + 20s);
            right += answer != nullptr && text_of(*answer) == name ? 1 : 0;
        }
    };
    std::vector<std::thread> running;
    running.reserve(threads);
    for (int i = 0; i < threads; ++i) {
        running.emplace_back(ask_all, i);
    }
    for (auto& thread : running) {
        thread.join();
    }
    CHECK(right == threads * rounds);
    const auto counters = dns.counters();
    CHECK(counters.questions == 100);
    CHECK(counters.questions + counters.cache_hits + counters.coalesced == threads * rounds);
}

TEST_CASE("more questions than there are channels, and than a channel lives") {
    const ScriptedDnsServer server{
        [](const Received& query) { return Packets{text_reply(query, query.name, 0)}; }};
    CaresResolver dns{settings({server.address()}, 10s)};
    for (int i = 0; i < 1100; ++i) {
        REQUIRE(text_of(lookup(dns, txt)) == "example.org");
    }
    for (const auto& one : ask_for(dns, 300)) {
        CHECK(wait(*one).has_value());
    }
}

TEST_CASE("no answer is lost where a channel's life ends as it comes") {
    constexpr int threads = 8;
    constexpr int questions = 2'000;
    const ScriptedDnsServer server{echo};
    CaresResolver dns{settings({server.address()})};
    std::vector<std::jthread> askers;
    askers.reserve(threads);
    for (int i = 0; i < threads; ++i) {
        askers.emplace_back([&dns, i] {
            for (int j = 0; j < questions; ++j) {
                const std::string name = std::to_string(j) + ".t" + std::to_string(i) + ".example";
                wait(*dns.ask({name, RecordType::txt}));
            }
        });
    }
    askers.clear();
    CHECK(dns.counters().questions == threads * questions);
    CHECK(dns.counters().timeouts == 0);
}

TEST_CASE("settings that cannot be used are refused") {
    CHECK_THROWS_WITH_AS(CaresResolver{settings({"dns.example:53"})},
                         doctest::Contains("dns.example:53"),
                         std::runtime_error);
    CHECK_FALSE(CaresResolver{settings({})}.servers().empty()); // those of resolv.conf
}
