#include "milter/verify/cares_resolver.hpp"
#include "tests/verify/cares_questions.hpp"
#include "tests/verify/scripted_dns_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using tests::ask_for;
using tests::echo;
using tests::lookup;
using tests::Octets;
using tests::Packets;
using tests::Pending;
using tests::Received;
using tests::ScriptedDnsServer;
using tests::servfail;
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

TEST_CASE("many truncated answers at once, over connections that the server closes") {
    std::set<std::string> seen; // by the server's thread
    const ScriptedDnsServer server{[&](const Received& query) -> Packets {
        if (query.transport == Transport::udp) {
            return {query.reply().flags(0x8380).octets()};
        }
        const bool is_hung_up_on = seen.insert(query.name).second && seen.size() % 7 == 0;
        return {is_hung_up_on ? Octets{} : text_reply(query, query.name)};
    }};
    CaresResolver dns{settings({server.address()})};
    const auto pending = ask_for(dns, 150);
    for (int i = 0; i < 150; ++i) {
        CHECK(text_of(wait(*pending[static_cast<std::size_t>(i)])) ==
              std::to_string(i) + ".example");
    }
}

TEST_CASE("a server that does not know EDNS is asked without") {
    const ScriptedDnsServer server{[](const Received& query) -> Packets {
        return {query.payload > 0 ? query.reply().rcode(1).octets() : text_reply(query, "plain")};
    }};
    CaresResolver dns{settings({server.address()})};
    CHECK(text_of(lookup(dns, txt)) == "plain");
    CHECK(text_of(lookup(dns, {"example.net", RecordType::txt})) == "plain");
}

TEST_CASE("what is not the answer is ignored") {
    const ScriptedDnsServer server{[](const Received& query) -> Packets {
        auto wrong_id = query;
        wrong_id.id ^= 1U;
        auto wrong_question = query;
        wrong_question.name = "example.net";
        return {text_reply(wrong_id, "forged"),
                text_reply(wrong_question, "forged"),
                {},
                {0},
                Octets(11, 0xff),
                text_reply(query, "right")};
    }};
    CaresResolver dns{settings({server.address()})};
    CHECK(text_of(lookup(dns, txt)) == "right");
}

TEST_CASE("a question is asked again when its answer is lost") {
    std::atomic<int> count{0};
    const ScriptedDnsServer server{
        [&](const Received& query) { return ++count == 1 ? silence(query) : echo(query); }};
    CaresResolver dns{settings({server.address()}, 300ms)};
    CHECK(text_of(lookup(dns, txt)) == "example.org");
    CHECK(dns.counters().questions == 1);
}

TEST_CASE("the timeout bounds a question over all servers, and is remembered") {
    const ScriptedDnsServer first{silence};
    const ScriptedDnsServer second{silence};
    CaresResolver dns{settings({first.address(), second.address()}, 120ms)};
    const auto begin = steady_clock::now();
    CHECK(lookup(dns, txt).error() == LookupFailure::timeout);
    const auto taken = steady_clock::now() - begin;
    CHECK(taken >= 120ms);
    CHECK(taken < 1s); // on a busy machine
    CHECK(first.wait_for(2));
    CHECK(second.wait_for(2));
    CHECK(dns.counters().timeouts == 1);
    CHECK(lookup(dns, txt).error() == LookupFailure::timeout);
    CHECK(dns.counters().cache_hits == 1);
}

TEST_CASE("an answer that comes too late is there for the next who asks") {
    std::latch may_answer{1};
    const ScriptedDnsServer server{[&](const Received& query) {
        may_answer.wait();
        return echo(query);
    }};
    CaresResolver dns{settings({server.address()}, 300ms)};
    CHECK(lookup(dns, txt).error() == LookupFailure::timeout);
    may_answer.count_down();
    const auto until = steady_clock::now() + 5s;
    while (!lookup(dns, txt) && steady_clock::now() < until) {
        std::this_thread::yield(); // it is in the cache at some moment from now
    }
    CHECK(text_of(lookup(dns, txt)) == "example.org");
    CHECK(dns.counters().questions == 1);
}

TEST_CASE("where one server fails the other is asked") {
    const ScriptedDnsServer good{echo};
    SUBCASE("nobody listens") {
        CaresResolver dns{settings({tests::address_of_nobody(), good.address()})};
        CHECK(text_of(lookup(dns, txt)) == "example.org");
    }
    SUBCASE("it is silent") {
        const ScriptedDnsServer silent{silence};
        CaresResolver dns{settings({silent.address(), good.address()}, 300ms)};
        CHECK(text_of(lookup(dns, txt)) == "example.org");
    }
    SUBCASE("it says SERVFAIL") {
        const ScriptedDnsServer failing{servfail};
        CaresResolver dns{settings({failing.address(), good.address()})};
        CHECK(text_of(lookup(dns, txt)) == "example.org");
        CHECK(failing.received().size() == 1);
    }
    SUBCASE("it says REFUSED") {
        const ScriptedDnsServer refusing{
            [](const Received& query) { return Packets{query.reply().rcode(5).octets()}; }};
        CaresResolver dns{settings({refusing.address(), good.address()})};
        CHECK(text_of(lookup(dns, txt)) == "example.org");
    }
}

TEST_CASE("where all servers fail it is a server failure, at once") {
    const ScriptedDnsServer failing{servfail};
    for (const auto& servers : std::vector<std::vector<std::string>>{
             {failing.address()},
             {failing.address(), failing.address()},
             {tests::address_of_nobody()},
             {tests::address_of_nobody(), failing.address()},
         }) {
        CaresResolver dns{settings(servers, 10s)};
        const auto begin = steady_clock::now();
        CHECK(lookup(dns, txt).error() == LookupFailure::server_failure);
        CHECK(steady_clock::now() - begin < 3s);
        CHECK(lookup(dns, txt).error() == LookupFailure::server_failure);
        CHECK(dns.counters().failures == 1);
        CHECK(dns.counters().cache_hits == 1);
    }
}

TEST_CASE("what is under way when the resolver ends is a server failure") {
    const ScriptedDnsServer server{silence};
    Pending pending;
    std::promise<std::string> next;
    {
        CaresResolver dns{settings({server.address()}, 10s)};
        pending = ask_for(dns, 100);
        pending[0]->then([&](const verify::Answer&) {
            dns.ask({"next.example", RecordType::txt})->then([&](const verify::Answer& answer) {
                next.set_value(text_of(answer));
            });
        });
        REQUIRE(server.wait_for(1));
    }
    for (const auto& one : pending) {
        CHECK(wait(*one).error() == LookupFailure::server_failure);
    }
    CHECK(next.get_future().get() == "server failure");
}
