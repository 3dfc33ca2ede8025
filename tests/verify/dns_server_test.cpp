#include "milter/verify/dns_server.hpp"

#include <doctest/doctest.h>

using verify::DnsServer;

TEST_CASE("DnsServer::parse: with a port and without") {
    const auto written = [](const char* text) {
        const auto server = DnsServer::parse(text);
        return server ? server->to_string() : "refused";
    };
    CHECK(written("127.0.0.1") == "127.0.0.1:53");
    CHECK(written("127.0.0.1:5353") == "127.0.0.1:5353");
    CHECK(written("::1") == "[::1]:53");
    CHECK(written("[::1]") == "[::1]:53");
    CHECK(written("[2001:DB8::1]:65535") == "[2001:db8::1]:65535");

    for (const char* text : {"",
                             "localhost",
                             "127.0.0.1:",
                             "127.0.0.1:0",
                             "127.0.0.1:65536",
                             "127.0.0.1:53x",
                             "127.0.0.1:-1",
                             "[::1",
                             "[::1]53",
                             "[::1]:",
                             "[]:53",
                             "[127.0.0.1]:53",
                             "127.0.0.1:53:53",
                             " ::1"}) {
        CAPTURE(text);
        CHECK(written(text) == "refused");
    }
}
