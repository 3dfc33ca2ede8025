#include "milter/config_addresses.hpp"
#include "milter/config_file.hpp"
#include "milter/config_selector.hpp"
#include "milter/config_store_values.hpp"
#include "milter/config_values.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace milter;

namespace {

TomlValue value(Place place, std::string_view kind, auto content) {
    return {TomlScalar{place, kind, std::move(content)}, std::nullopt};
}

TomlValue text(std::string content) {
    return value({1, 1}, "a string", std::move(content));
}

// A value as text that the reader takes, next to those that it refuses.
template <typename Reader>
void check(Reader read,
           const std::vector<std::string>& accepted,
           const std::vector<std::string>& refused) {
    for (const auto& content : accepted) {
        CAPTURE(content);
        CHECK(read(text(content)).has_value());
    }
    for (const auto& content : refused) {
        CAPTURE(content);
        REQUIRE_FALSE(read(text(content)).has_value());
        CHECK(read(text(content)).error().place == Place{1, 1});
    }
    const auto number = value({2, 3}, "a whole number", std::int64_t{1});
    REQUIRE_FALSE(read(number).has_value());
    CHECK(read(number).error().place == Place{2, 3});
    CHECK(read(number).error().message.ends_with("not a whole number"));
}

// For readers of arrays: every text as an array of one.
template <typename Reader>
auto each(Reader read) {
    return [read](const TomlValue& value) {
        if (!std::holds_alternative<std::string>(value.content)) {
            return read(value);
        }
        const TomlScalar item{value.place, value.kind, value.content};
        return read(TomlValue{{{9, 9}, "an array", {}}, std::vector{item}});
    };
}

} // namespace

TEST_CASE(
    "config values: sockets as libmilter takes them, and no listener on all addresses by slip") {
    check(read_socket,
          {"unix:/run/sixgate/sixgate.sock",
           "inet:8466@127.0.0.1",
           "inet:8466@localhost",
           "inet:1@[127.0.0.1]",
           "inet:8466@0.0.0.0",
           "inet6:8466@::1",
           "inet6:65535@[::1]",
           "inet6:8466@ip6-localhost"},
          {"",
           "unix:",
           "unix:/",
           "unix:run/sixgate.sock",
           "unix:/run/sixgate/",
           "unix:/a\nb",
           "unix:/" + std::string(107, 'a'),
           "local:/run/x.sock",
           "/run/sixgate.sock",
           "inet:8466",
           "inet:8466@",
           "inet:@127.0.0.1",
           "inet:0@127.0.0.1",
           "inet:65536@127.0.0.1",
           "inet:084@127.0.0.1",
           "inet:+1@127.0.0.1",
           "inet:smtp@127.0.0.1",
           "inet:8466@127.0.0.1.1",
           "inet:8466@::1",
           "inet:8466@-x",
           "inet:8466@a b",
           "inet6:8466@127.0.0.1",
           "inet6:8466@[::1",
           "inet6:8466@::1%lo",
           "inet7:8466@::1"});
}

TEST_CASE("config values: file modes are octal") {
    check(
        read_file_mode, {"0660", "660", "0000", "0777"}, {"", "0", "66", "0680", "1777", "00660"});
    CHECK(read_file_mode(text("0640")) == 0640U);
}

TEST_CASE("config values: an authserv-id is a token") {
    check(read_authserv_id,
          {"mx.example.org", "sixgate", "v6-gate.mx1.example.org", std::string(255, 'a')},
          {"",
           "mx example",
           "mx;",
           R"("mx")",
           "mx/1",
           "mx=1",
           "m\u00fc.example",
           "(c)",
           "a\r\nb",
           std::string(256, 'a')});
}

TEST_CASE("config values: name servers are addresses, with a port or 53") {
    check(each(read_dns_servers),
          {"127.0.0.1", "127.0.0.1:53", "[::1]", "[::1]:5353", "192.0.2.1:65535"},
          {"",
           "::1",
           "::1:53",
           "[127.0.0.1]:53",
           "[::1",
           "[::1]53",
           "[::1]:",
           "127.0.0.1:",
           "127.0.0.1:0",
           "localhost",
           "127.0.0.1:65536",
           "[]",
           ":53",
           "fe80::1%eth0"});
    CHECK(each(read_dns_servers)(text("[::1]")) == std::vector<std::string>{"[::1]:53"});
}

TEST_CASE("config values: networks, and what was meant by bits beyond the length") {
    check(each(read_networks),
          {"2001:db8:7::/48", "2001:db8::1", "192.0.2.0/24", "192.0.2.1", "::/0"},
          {"",
           "/48",
           "2001:db8::/129",
           "192.0.2.0/33",
           "2001:db8::/",
           "example.org",
           "[2001:db8::1]",
           "2001:db8::1/48",
           "192.0.2.1/24"});
    CHECK(each(read_networks)(text("2001:db8:7::25/48")).error().message ==
          R"("2001:db8:7::25/48" has bits beyond its length: write "2001:db8:7::/48" for the )"
          R"(network or "2001:db8:7::25" for the address alone)");
    CHECK(each(read_networks)(text("192.0.2.1/24")).error().message ==
          R"("192.0.2.1/24" has bits beyond its length: write "192.0.2.0/24" for the network or )"
          R"("192.0.2.1" for the address alone)");
}

TEST_CASE("config values: recipients") {
    check(each(read_recipients),
          {"postmaster@*", "*@example.org", "user@example.org", "*@*"},
          {"",
           "postmaster",
           "example.org",
           "@example.org",
           "user@",
           "a b@example.org",
           "u*@example.org"});
    CHECK(each(read_recipients)(text("example.org")).error().message ==
          R"(write "*@example.org" for everybody at example.org)");
}

TEST_CASE("config values: full addresses, and none that leads on") {
    check(each(read_full_addresses),
          {"ipv6-test@example.org", "Test@Example.ORG"},
          {"",
           "postmaster",
           "postmaster@*",
           "*@example.org",
           "*@*",
           "a%b@example.org",
           "a!b@example.org",
           "a@b@example.org"});
}

TEST_CASE("config values: networks of a stage are of IPv6, because nothing else is judged") {
    check(each(read_ipv6_networks),
          {"2001:db8:7::/48", "2001:db8::1", "::/0", "2000::/3"},
          {"",
           "192.0.2.0/24",
           "192.0.2.1",
           "::ffff:192.0.2.1",
           "::ffff:0:0/96",
           "2001:db8::1/48",
           "example.org"});
    CHECK(each(read_ipv6_networks)(text("192.0.2.0/24")).error().message ==
          R"("192.0.2.0/24" is IPv4, and mail over IPv4 is never judged)");
    CHECK(each(read_ipv6_networks)(text("2001:db8::1")).value() ==
          Prefixes{{*policy::Address::parse("2001:db8::1"), 128}});
}

TEST_CASE("config values: domains, and all names below one") {
    check(each(read_domains),
          {"example.org",
           ".example.org",
           "example.org.",
           "Mail.Example.ORG",
           "_spf.example.org",
           "xn--mnchen-3ya.example",
           "example",
           std::string(63, 'a') + ".example"},
          {"",
           ".",
           "..",
           "example..org",
           "..example.org",
           "*.example.org",
           "user@example.org",
           "m\u00fcnchen.example",
           "exa mple.org",
           "2001:db8::1",
           std::string(64, 'a') + ".example",
           [] {
               std::string name = "a";
               while (name.size() <= 253) {
                   name += ".a";
               }
               return name;
           }()});
    CHECK(each(read_domains)(text("*.example.org")).error().message ==
          R"(write ".example.org" for every name below it)");
}

TEST_CASE("config values: listeners by address, port, both or name") {
    check(each(read_listeners),
          {"2001:db8::25",
           "[2001:db8::25]:25",
           "[2001:db8::25]",
           "2001:db8::25",
           ":587",
           "mx6.example.org",
           "MTA-v6"},
          {"",
           "25",
           ":",
           ":0x19",
           ":99999",
           "[2001:db8::25",
           "[2001:db8::25]:x",
           "[name]:25",
           "name:25",
           "2001:db8::25:",
           "two words"});
    CHECK(each(read_listeners)(text("25")).error().message == R"(write ":25" for a port)");
}

TEST_CASE("config values: a share of senders") {
    const auto number = [](auto content) { return value({1, 1}, "a number", content); };
    CHECK(read_percent(number(std::int64_t{0})) == 0);
    CHECK(read_percent(number(std::int64_t{100})) == 100);
    CHECK(read_percent(number(0.5)) == 0.5);
    for (const double content : {-0.1, 100.1, double{INFINITY}, double{NAN}}) {
        CHECK(read_percent(number(content)).error().message == "must be a number from 0 to 100");
    }
    CHECK_FALSE(read_percent(number(std::int64_t{101})).has_value());
    CHECK_FALSE(read_percent(number(std::int64_t{-1})).has_value());
    CHECK(read_percent(text("10%")).error().message ==
          "must be a number from 0 to 100, not a string");
}

TEST_CASE("config values: paths and keys") {
    using namespace std::string_literals;
    check(read_path, {"/etc/sixgate/partners"}, {"", "partners", "/", "/etc/", "/etc/\0x"s});
    const auto key_of = [](std::string content) {
        return read_rollout_key(text("file:/key"), [&](const std::string& file, std::size_t most) {
            REQUIRE(file == "/key");
            REQUIRE(most == 4'096);
            return tl::expected<std::string, std::string>{content};
        });
    };
    CHECK(key_of("0123456789abcdef") == "0123456789abcdef");
    CHECK(key_of("0123456789abcdef\n") == "0123456789abcdef");
    CHECK(key_of("0123456789abcdef\n\n") == "0123456789abcdef\n");
    CHECK(key_of("0123456789abcde\n").error().message ==
          "has only 15 octets: a key has at least 16 that nobody can guess");
    CHECK_FALSE(key_of("").has_value());
    CHECK_FALSE(read_rollout_key(text("/key"), content_of).has_value());
    CHECK(read_rollout_key(text("file:/nowhere/key"), content_of).error().message ==
          "/nowhere/key cannot be opened: No such file or directory");
}

TEST_CASE("config values: the help address is a URL that prints as it is") {
    check(read_url,
          {"https://mail.example.org/ipv6?x=%20#why",
           "http://[2001:db8::1]/",
           "https://example.org/?ip={client}&case={case}#{reason}",
           "https://example.org?{client}",
           "https://example.org#{reason}"},
          {"",
           "https://",
           "https:///x",
           "mail.example.org",
           "ftp://example.org/",
           "HTTPS://example.org",
           "https://example.org/a b",
           "https://example.org/\u00e9",
           "https://example.org/\\",
           "https://{client}/",
           "https://{client}.example.org/",
           "https://mail.{reason}/",
           "https://example.org:{case}/",
           "https://example.org{case}",
           "https://example.org/{helo}",
           "https://example.org/{case",
           "https://example.org/}",
           "https://example.org/\n",
           "https://example.org/" + std::string(200, 'a')});
}

TEST_CASE("config values: words of the policy") {
    check(read_profile,
          {"rfc7372", "gmail", "eop", "mx6", "fallback", "terse"},
          {"", "Gmail", "MX6", "mx6 "});
    check(read_mode, {"off", "observe", "tag", "soft", "enforce", "closed"}, {"", "on", "reject"});
    check(read_reverse_name, {"confirmed", "present", "any"}, {"", "yes"});
    check(read_authentication,
          {"spf-or-dkim", "spf-and-dkim", "aligned", "any"},
          {"", "Aligned", "dmarc", "spf"});
    check(read_sender_domain, {"reachable", "any"}, {"", "mx", "unreachable"});
    check(read_closed_at, {"rcpt", "helo"}, {"", "connect", "mail", "HELO"});
    check(read_mixed_recipients, {"split", "strictest"}, {"", "strict", "mildest"});
    check(read_on_temperror, {"tempfail", "accept"}, {"", "reject"});
    check(read_null_reverse_path, {"helo-name", "strict"}, {"", "helo_name"});
}

TEST_CASE("config values: the store is a file of this host, a server, or none") {
    check(read_store_url,
          {"sqlite:/var/lib/sixgate/sixgate.db",
           "sqlite:/a b",
           "redis://redis.example.org",
           "rediss://sixgate@[2001:db8::1]:6380/3",
           "unix:///run/redis/redis.sock?db=2",
           "none"},
          {"",
           "None",
           "sqlite:",
           "sqlite:sixgate.db",
           "sqlite:/srv/",
           "/srv/sixgate.db",
           "redis:/a",
           "redis://:secret@a",
           "redis://user:secret@a",
           "rediss://"});
    CHECK(read_store_url(text("redis://a:secret@b")).error().message ==
          "has a password: it belongs in the file store.password_file");
    check(read_key_file,
          {"file:/etc/sixgate/journal.key"},
          {"", "file:", "file:key", "file:/etc/", "/key"});
    check(read_addresses, {"hashed", "full"}, {"", "Full", "none"});
}

TEST_CASE("config values: codes fit what the mode and the reason promise") {
    using policy::Profile;
    using policy::Reason;
    const auto soft = [](Reason reason, Profile profile = Profile::rfc7372) {
        return [=](const TomlValue& value) { return read_soft_code(value, profile, reason); };
    };
    const auto enforce = [](Reason reason) {
        return [reason](const TomlValue& value) { return read_enforce_code(value, reason); };
    };
    check(soft(Reason::unauthenticated),
          {"450 4.7.26", "421 4.7.0"},
          {"",
           "450",
           "450 5.7.26",
           "550 4.7.26",
           "550 5.7.26",
           "250 2.0.0",
           "450  4.7.26",
           "450 4.7.26 ",
           "450 4.7",
           "4500 4.7.26",
           "460 4.7.1",
           "450 4.7.2600"});
    check(soft(Reason::closed), {"451 4.7.1", "550 5.2.1"}, {"550 4.2.1"});
    check(soft(Reason::unauthenticated, Profile::mx6), {"550 5.5.5", "450 4.7.26"}, {"550 4.5.5"});
    check(soft(Reason::unauthenticated, Profile::fallback), {"456 4.7.26"}, {"550 5.5.5"});
    check(enforce(Reason::unauthenticated), {"550 5.7.26", "450 4.7.26"}, {"250 2.7.26"});
    check(enforce(Reason::closed), {"451 4.7.1", "550 5.2.1"}, {"550 4.2.1"});
    for (const auto reason : {Reason::reverse_name_temperror,
                              Reason::authentication_temperror,
                              Reason::dkim_temperror}) {
        check(enforce(reason), {"451 4.4.3"}, {"550 5.4.3"});
        check(soft(reason), {"451 4.4.3"}, {"550 5.4.3"});
        check(soft(reason, Profile::mx6), {"451 4.4.3"}, {"550 5.5.5"});
    }
}

TEST_CASE("config values: numbers keep to their range") {
    const auto number = [](std::int64_t content) {
        return value({1, 1}, "a whole number", content);
    };
    CHECK(read_number(number(1), 1, 3) == 1);
    CHECK(read_number(number(3), 1, 3) == 3);
    CHECK(read_number(number(0), 1, 3).error().message ==
          "must be a whole number from 1 to 3, not 0");
    CHECK_FALSE(read_number(number(4), 1, 3).has_value());
    CHECK(read_milliseconds<1, 9>(number(7)) == std::chrono::milliseconds{7});
    CHECK(read_mebioctets<1, 9>(number(2)) == 2'097'152U);
    CHECK_FALSE(read_bool(text("true")).has_value());
}
