#include "milter/verify/organization.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using verify::organizational_domain;

TEST_CASE("organizational_domain: by the Public Suffix List") {
    struct Case {
        std::string_view domain;
        std::string_view organization;
    };

    const std::vector<Case> cases{
        {"example.org", "example.org"},
        {"mail.example.org", "example.org"},
        {"a.b.c.example.org", "example.org"},
        {"_dmarc.example.org", "example.org"},
        {"Mail.Example.ORG.", "example.org"},
        {"mail.example.co.uk", "example.co.uk"},
        {"a.b.example.github.io", "example.github.io"}, // the list's private part
        {"a.b.c.kawasaki.jp", "b.c.kawasaki.jp"},       // *.kawasaki.jp
        {"a.city.kawasaki.jp", "city.kawasaki.jp"},     // !city.kawasaki.jp
        {"mail.bücher.example.de", "example.de"},
        {"a.b.mail.example", "mail.example"}, // which the list does not know
        {"mail.bücher.de", "xn--bcher-kva.de"},
        {"MAIL.XN--BCHER-KVA.de", "xn--bcher-kva.de"},
        {"www.食狮.公司.cn", "xn--85x722f.xn--55qx5d.cn"},
        {"www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.domain);
        CHECK(organizational_domain(c.domain) == c.organization);
    }
}

TEST_CASE("organizational_domain: what has none is its own") {
    for (const std::string_view domain : {"org",
                                          "co.uk",
                                          "github.io",
                                          "c.kawasaki.jp",
                                          "localhost",
                                          "mail.example",
                                          "[192.0.2.1]",
                                          "[ipv6:2001:db8::1]",
                                          "192.0.2.1",
                                          "",
                                          ".org",
                                          "a..org"}) {
        CAPTURE(domain);
        CHECK(organizational_domain(domain) == domain);
    }
    const std::string_view with_nul{"example.org\0.example.com", 24};
    CHECK(organizational_domain(with_nul) == with_nul);
    CHECK(organizational_domain("..") == ".");
    const std::string_view no_utf8 = "mail.b\xff-.de";
    CHECK_NOTHROW(organizational_domain(no_utf8));
    CHECK_NOTHROW(organizational_domain(std::string(100'000, 'a') + ".example.org"));
}

TEST_CASE("organizational_domain: from many threads at once") {
    std::vector<int> right(4);
    std::vector<std::thread> threads;
    threads.reserve(right.size());
    for (auto& count : right) {
        threads.emplace_back([&count] {
            for (int i = 0; i < 1000; ++i) {
                count += organizational_domain("mail.example.co.uk") == "example.co.uk" ? 1 : 0;
            }
        });
    }
    std::ranges::for_each(threads, &std::thread::join);
    CHECK(right == std::vector(4, 1000));
}
