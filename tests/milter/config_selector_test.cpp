#include "tests/milter/config_makers.hpp"

#include <chrono>
#include <vector>

using namespace milter;

TEST_CASE("config selectors: every selector arrives") {
    const auto stage = stage_of(R"(
networks = ["2001:db8:8::/48", "2001:db8:9::25"]
networks_file = "/networks"
reverse_names = [".partner.example"]
reverse_names_file = "/names"
authenticated = ["example.com", ".example.com"]
domains_file = "/domains"
recipients = ["*@example.org", "user@example.net"]
listeners = [":25", "[2001:db8::25]:26"]
percent = 12.5
from = 2027-01-01T00:00:00Z
until = 2027-02-01T02:00:00+02:00
)",
                                rollout,
                                {{"/networks", "2001:db8:a::/48\n"},
                                 {"/names", "mail.other.example\n"},
                                 {"/domains", "example.net\n"},
                                 {"/rollout.key", "0123456789abcdef"}});
    const auto& selector = stage.selector;
    const auto holds = [&](const char* address) {
        return selector.networks->contains(*policy::Address::parse(address));
    };
    CHECK(holds("2001:db8:8:1::1"));
    CHECK(holds("2001:db8:9::25"));
    CHECK(holds("2001:db8:a::1"));
    CHECK_FALSE(holds("2001:db8:9::26"));
    CHECK(selector.reverse_names->contains("mx.partner.example"));
    CHECK(selector.reverse_names->contains("mail.other.example"));
    CHECK_FALSE(selector.reverse_names->contains("partner.example"));
    CHECK(selector.authenticated->contains("example.com"));
    CHECK(selector.authenticated->contains("news.example.com"));
    CHECK(selector.authenticated->contains("example.net"));
    CHECK_FALSE(selector.authenticated->contains("mx.partner.example"));
    CHECK(selector.recipients == std::vector{*policy::RecipientPattern::parse("*@example.org"),
                                             *policy::RecipientPattern::parse("user@example.net")});
    CHECK(selector.listeners == std::vector{*policy::ListenerPattern::parse(":25"),
                                            *policy::ListenerPattern::parse("[2001:db8::25]:26")});
    CHECK(selector.percent == 12.5);
    CHECK(selector.from == std::chrono::sys_days{std::chrono::year{2027} / 1 / 1});
    CHECK(selector.until == std::chrono::sys_days{std::chrono::year{2027} / 2 / 1});
}

TEST_CASE("config selectors: a list alone is enough") {
    CHECK(stage_of("networks_file = '/n'", "", {{"/n", "::1"}}).selector.networks->size() == 1);
    CHECK(stage_of("domains_file = '/d'", "", {{"/d", "a.example\nb.example"}})
              .selector.authenticated->size() == 2);
}

TEST_CASE("config selectors: lists have an item a line, comments and blank lines") {
    const auto stage = stage_of(
        "networks_file = '/n'\ndomains_file = '/d'",
        "",
        {{"/n", "# partners\n\n  2001:db8:1::/48  # one\r\n\t2001:db8:2::25\n2001:db8:1:1::/64"},
         {"/d", "example.org\n#.example.com\n.example.net\n"}});
    CHECK(stage.selector.networks->size() == 2); // one was within another
    CHECK(stage.selector.authenticated->size() == 2);
}

TEST_CASE("config selectors: a fault in a list has its place there") {
    const auto refused = [](const std::string& key, const std::string& list) {
        return outcome_of(stage_text(key + " = '/list'"), {{"/list", list}});
    };
    CHECK(
        refused("networks_file", "::1\n\n  2001:db8::1/32 # x\n") ==
        R"(/list:3:3: stage[x].networks_file: "2001:db8::1/32" has bits beyond its length: write )"
        R"("2001:db8::/32" for the network or "2001:db8::1" for the address alone)");
    CHECK(
        refused("networks_file", "192.0.2.1\n").starts_with("/list:1:1: stage[x].networks_file: "));
    CHECK(refused("networks_file", "::1 ::2\n").starts_with("/list:1:1: "));
    CHECK(refused("domains_file", "a.example\n*.b.example\n") ==
          R"(/list:2:1: stage[x].domains_file: write ".b.example" for every name below it)");
    CHECK(refused("reverse_names_file", "a\x01.example\n").starts_with("/list:1:1: "));
    CHECK(refused("domains_file", "# nobody yet\n") ==
          "sixgate.toml:3:16: stage[x].domains_file: /list is empty and would select nobody: leave "
          "the key out, or the stage");
}

TEST_CASE("config selectors: the name of a list is written in printable characters") {
    const std::string list = "/a\nb\x7f";
    const std::string value = R"(domains_file = "/a\nb\u007F")";
    CHECK(outcome_of(stage_text(value), {{list, "#"}})
              .starts_with(R"(sixgate.toml:3:16: stage[x].domains_file: /a\x0ab\x7f is empty)"));
    CHECK(outcome_of(stage_text(value), {{list, "*.b"}})
              .starts_with(R"(/a\x0ab\x7f:1:1: stage[x].domains_file: write)"));
}

TEST_CASE("config selectors: a list that cannot be read is a fault of the configuration") {
    CHECK(outcome_of(stage_text("networks_file = '/nowhere'")) ==
          "sixgate.toml:3:17: stage[x].networks_file: /nowhere cannot be opened");
    CHECK(outcome_of(stage_text("networks_file = 'list'")) ==
          "sixgate.toml:3:17: stage[x].networks_file: must be the absolute path of a file, not "
          R"("list")");
    CHECK(outcome_of(stage_text("domains_file = ['/a']"))
              .starts_with("sixgate.toml:3:16: stage[x].domains_file: must be the absolute path"));
    CHECK(outcome_of("[rollout]\nkey = 'file:/nowhere'") ==
          "sixgate.toml:2:7: rollout.key: /nowhere cannot be opened");
    CHECK(outcome_of("[rollout]\nkey = 'file:/k'", {{"/k", "short\n"}})
              .starts_with("sixgate.toml:2:7: rollout.key: has only 5 octets"));
}
