#include "milter/verify/dkim.hpp"
#include "tests/verify/dkim_verification.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

using policy::DkimResult;
using tests::FakeResolver;
using tests::octets;
using tests::ordinary_message;
using tests::rsa_key;
using tests::signed_message;
using tests::verified;

TEST_CASE("one message may be begun by one thread and ended by another") {
    const auto message = signed_message(ordinary_message(), rsa_key());
    FakeResolver dns;
    dns.add_txt("sel._domainkey.example.org", rsa_key().record());
    verify::Lookups lookups{dns};
    verify::DkimVerifier dkim;
    std::thread{[&] {
        for (const auto& [name, value] : message.fields) {
            dkim.header(name, value);
        }
        dkim.end_of_header(lookups);
    }}.join();
    auto moved = std::move(dkim);
    moved.body(octets(message.body));
    lookups.set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds{1});
    CHECK(moved.end_of_message(lookups).at(0).result == DkimResult::pass);
}

TEST_CASE("several threads verify at once") {
    const auto message = signed_message(ordinary_message(), rsa_key());
    const auto record = rsa_key().record();
    std::vector<int> passed(4);
    std::vector<std::thread> threads;
    threads.reserve(passed.size());
    for (auto& count : passed) {
        threads.emplace_back([&message, &record, &count] {
            for (int i = 0; i < 25; ++i) {
                count += verified(message, record).at(0).result == DkimResult::pass ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(passed == std::vector<int>(4, 25));
}
