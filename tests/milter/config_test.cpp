#include "tests/milter/config_makers.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

using namespace milter;
using namespace std::chrono_literals;

namespace {

// The files that a configuration names are all there and hold what is asked of each.
tl::expected<std::string, std::string> content_of_any(const std::string& file, std::size_t) {
    if (file.ends_with(".key")) {
        return "0123456789abcdef\n";
    }
    if (file.ends_with("letter.txt")) {
        return "To: postmaster@{domain}\n\n{findings}\n";
    }
    return file.find("networks") != std::string::npos ? "2001:db8:8::/48\n" : ".example.net\n";
}

tl::expected<Config, ConfigError> parse(std::string_view text) {
    return parse_config(text, "sixgate.toml", content_of_any);
}

// The one stage of a configuration that must be accepted.
policy::Stage only_stage_of(std::string_view text) {
    const auto config = parse(text);
    REQUIRE_MESSAGE(config.has_value(), outcome_of(config));
    REQUIRE(config->policy.stages.size() == 1);
    return config->policy.stages.front();
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// All that a setting can change, but for the warnings.
void check_same(const Config& a, const Config& b) {
    CHECK(a.milter.socket == b.milter.socket);
    CHECK(a.milter.socket_mode == b.milter.socket_mode);
    CHECK(a.milter.authserv_id == b.milter.authserv_id);
    CHECK(a.dns.servers == b.dns.servers);
    CHECK(a.dns.timeout == b.dns.timeout);
    CHECK(a.dns.cache_octets == b.dns.cache_octets);
    CHECK(a.policy.exempt_networks == b.policy.exempt_networks);
    CHECK(a.policy.exempt_recipients == b.policy.exempt_recipients);
    CHECK(a.policy.mixed_recipients == b.policy.mixed_recipients);
    CHECK(a.policy.probe_recipients == b.policy.probe_recipients);
    CHECK(a.rollout_key == b.rollout_key);
    CHECK(a.deadline == b.deadline);
    CHECK(a.store == b.store);
    REQUIRE(a.policy.stages.size() == 1);
    REQUIRE(b.policy.stages.size() == 1);
    CHECK(a.policy.stages[0].name == b.policy.stages[0].name);
    CHECK(a.policy.stages[0].mode == b.policy.stages[0].mode);
    CHECK(a.policy.stages[0].closed_at == b.policy.stages[0].closed_at);
    CHECK(a.policy.stages[0].selector == b.policy.stages[0].selector);
    CHECK(a.policy.stages[0].help_url == b.policy.stages[0].help_url);
    CHECK(a.policy.stages[0].requirements == b.policy.stages[0].requirements);
    CHECK(a.policy.stages[0].replies.rows == b.policy.stages[0].replies.rows);
}

std::string sample_text() {
    std::ifstream file{SOURCE_DIR "/contrib/sixgate.toml"};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

struct RefusedText {
    const char* name;
    std::string text;
    const char* beginning; // of the error, after the name of the file
    const char* part;      // of the rest of it
};

void check_refused(const std::vector<RefusedText>& cases) {
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            const auto outcome = outcome_of(parse(c.text));
            CAPTURE(outcome);
            CHECK(outcome.starts_with("sixgate.toml" + std::string{c.beginning}));
            CHECK(contains(outcome, c.part));
        }
    }
}

} // namespace

TEST_CASE("config: an empty file observes everything and refuses nothing") {
    const auto config = parse("");
    REQUIRE(config.has_value());
    check_same(*config, Config{});
    CHECK(config->policy.stages[0].mode == policy::Mode::observe);
    CHECK(config->policy.stages[0].requirements ==
          policy::requirements_of(policy::Profile::rfc7372));
}

TEST_CASE("config: every setting arrives where it belongs") {
    const auto config = parse(R"(
[milter]
socket = "inet:8466@127.0.0.1"
socket_mode = "0600"
authserv_id = "v6.mx.example.org"
[dns]
servers = ["127.0.0.1", "[::1]:5353"]
timeout_ms = 1500
cache_mb = 2
[exempt]
networks = ["2001:db8:7::/48", "192.0.2.1"]
recipients = ["*@example.org"]
[policy]
profile = "eop"
mode = "enforce"
reverse_name = "any"
closed_at = "helo"
authentication = "spf-and-dkim"
sender_domain = "reachable"
on_temperror = "accept"
null_reverse_path = "helo-name"
count_wide_spf = false
help_url = "https://mail.example.org/ipv6"
mixed_recipients = "strictest"
deadline_ms = 30_000
[rollout]
key = "file:/etc/sixgate/rollout.key"
[probe]
recipients = ["ipv6-test@example.net"]
[reply.eop.unauthenticated]
soft = "451 4.7.26"
enforce = "550 5.7.26"
text = ["{client}: neither SPF nor DKIM, case {case}"]
[store]
url = "sqlite:/srv/journal.db"
keep_days = 7
max_entries = 1000
addresses = "full"
key = "file:/etc/sixgate/journal.key"
)");
    REQUIRE_MESSAGE(config.has_value(), outcome_of(config));
    CHECK(config->milter.socket == "inet:8466@127.0.0.1");
    CHECK(config->milter.socket_mode == 0600);
    CHECK(config->milter.authserv_id == "v6.mx.example.org");
    CHECK(config->dns.servers == std::vector<std::string>{"127.0.0.1:53", "[::1]:5353"});
    CHECK(config->dns.timeout == 1500ms);
    CHECK(config->dns.cache_octets == 2'097'152);
    CHECK(config->policy.exempt_networks == std::vector{*policy::Prefix::parse("2001:db8:7::/48"),
                                                        *policy::Prefix::parse("192.0.2.1")});
    CHECK(config->policy.exempt_recipients ==
          std::vector{*policy::RecipientPattern::parse("*@example.org")});
    CHECK(config->policy.stages.at(0).help_url == "https://mail.example.org/ipv6");
    CHECK(config->policy.stages.at(0).closed_at == policy::ClosedAt::helo);
    CHECK(config->policy.mixed_recipients == policy::MixedRecipients::strictest);
    CHECK(config->policy.probe_recipients ==
          std::vector{*policy::RecipientPattern::parse("ipv6-test@example.net")});
    CHECK(config->rollout_key == "0123456789abcdef");
    CHECK(config->deadline == 30s);
    CHECK(config->store == store::StoreSettings{"sqlite:/srv/journal.db",
                                                std::chrono::days{7},
                                                1000,
                                                store::Addresses::full,
                                                "/etc/sixgate/journal.key",
                                                "",
                                                ""});
    CHECK(config->warnings.empty());

    const auto& stage = config->policy.stages.at(0);
    CHECK(stage.mode == policy::Mode::enforce);
    CHECK(stage.requirements == policy::Requirements{policy::ReverseName::any,
                                                     policy::Authentication::spf_and_dkim,
                                                     policy::SenderDomain::reachable,
                                                     policy::OnTemperror::accept,
                                                     policy::NullReversePath::helo_name,
                                                     false});
    CHECK(stage.replies[policy::Reason::unauthenticated] ==
          policy::ReplyTemplate{
              {451, "4.7.26"}, {550, "5.7.26"}, {"{client}: neither SPF nor DKIM, case {case}"}});
}

TEST_CASE("config: a store on a server") {
    const auto config = parse("[store]\nurl = \"rediss://sixgate@redis.example.org\"\n"
                              "key = \"file:/etc/sixgate/journal.key\"\n"
                              "password_file = \"/etc/sixgate/redis.password\"\n"
                              "ca_file = \"/etc/sixgate/ca.pem\"\n");
    REQUIRE_MESSAGE(config.has_value(), outcome_of(config));
    CHECK(config->store.password_file == "/etc/sixgate/redis.password");
    CHECK(config->store.ca_file == "/etc/sixgate/ca.pem");
    const std::string full = "[store]\nurl = \"redis://a\"\naddresses = \"full\"\n";
    CHECK(parse(full).has_value());
    CHECK(parse(full + "key = \"file:/a\"\n[fallback]\nwindow = \"5d\"\n").has_value());

    const std::string key = "key = \"file:/etc/sixgate/journal.key\"\n";
    check_refused({
        {"hosts without a common key",
         "[store]\nurl = \"redis://a\"\n",
         ":2:1: store.url: ",
         "store.key must name the key"},
        {"hosts that watch for the same messages without one",
         full + "[fallback]\nwindow = \"5d\"\n",
         ":5:1: fallback.window: ",
         "store.key must name the key"},
        {"a user without a password",
         "[store]\nurl = \"redis://b@a\"\n" + key,
         ":2:1: store.url: ",
         "store.password_file must name"},
        {"a password for a file",
         "[store]\npassword_file = \"/a\"\n",
         ":2:1: store.password_file: ",
         "is for a store that is a server"},
        {"a certificate without TLS",
         "[store]\nurl = \"redis://a\"\nca_file = \"/a\"\n" + key,
         ":3:1: store.ca_file: ",
         "rediss://"},
    });
}

TEST_CASE("config: a profile sets all, and the keys beside it override, in any order") {
    using policy::Profile;
    using policy::Reason;
    CHECK(only_stage_of("policy.profile = 'gmail'").requirements ==
          policy::requirements_of(Profile::gmail));
    CHECK(only_stage_of("policy.profile = 'terse'").replies.rows ==
          policy::replies_of(Profile::terse).rows);
    CHECK_FALSE(only_stage_of("policy.profile = 'terse'").replies.has_diagnostics);

    const auto after = only_stage_of("policy.profile = 'eop'\npolicy.reverse_name = 'confirmed'\n"
                                     "reply.eop.closed.soft = '451 4.7.1'");
    const auto before = only_stage_of("reply.eop.closed.soft = '451 4.7.1'\n"
                                      "policy.reverse_name = 'confirmed'\npolicy.profile = 'eop'");
    CHECK(before.requirements == after.requirements);
    CHECK(before.replies.rows == after.replies.rows);
    CHECK(before.requirements.reverse_name == policy::ReverseName::confirmed);
    CHECK(before.requirements.null_reverse_path == policy::NullReversePath::strict);
    CHECK(before.replies[Reason::closed].soft == policy::ReplyCode{451, "4.7.1"});
    CHECK(before.replies[Reason::closed].enforce == policy::ReplyCode{550, "5.2.1"});
    CHECK(before.replies[Reason::unauthenticated].enforce == policy::ReplyCode{554, "5.7.26"});
}

TEST_CASE("config: the replies of another profile are checked and do not apply") {
    CHECK(only_stage_of("[reply.gmail.closed]\nsoft = '452 4.7.1'\n").replies.rows ==
          policy::replies_of(policy::Profile::rfc7372).rows);
    CHECK_FALSE(parse("[reply.gmail.closed]\nsoft = '452 5.7.1'\n").has_value());
    CHECK(parse("[reply.mx6.unauthenticated]\nsoft = '550 5.5.5'\n").has_value());
    CHECK_FALSE(parse("[reply.fallback.unauthenticated]\nsoft = '550 5.5.5'\n").has_value());
}

TEST_CASE("config: what is no TOML is refused where it goes wrong") {
    using namespace std::string_literals;
    check_refused({
        {"no value", "[dns]\ntimeout_ms =\n", ":2:13: ", R"(expected value, saw '\n')"},
        {"twice", "[dns]\ncache_mb = 1\ncache_mb = 2\n", ":3:", "cache_mb"},
        {"NUL", "[milter]\nauthserv_id = 'a\0'\n"s, ":2:", "control characters"},
        {"no UTF-8", "[milter]\nauthserv_id = '\xff'\n", ":2:", "utf-8"},
        {"not ASCII", "a \u00e9= 1\n", ":1:3: ", "saw '?"},
        {"number too large", "dns.cache_mb = 99999999999999999999", ":1:", "64 bits"},
        {"deep keys", "a" + std::string(100'000, '.'), ":1:1: ", "16384 octets"},
        {"later line", "\n\n" + std::string(20'000, '#'), ":3:1: ", "too long"},
    });
}

TEST_CASE("config: what is no setting is refused, with what was meant") {
    check_refused({
        {"slip", "[dns]\ntimeot_ms = 3\n", ":2:1: dns.timeot_ms: ", "mean dns.timeout_ms?"},
        {"without a section", "timeout_ms = 3\n", ":1:1: timeout_ms: ", "mean dns.timeout_ms?"},
        {"other section",
         "[milter]\nmode = 'tag'\n",
         ":2:1: milter.mode: ",
         "policy.mode or stage.mode?"},
        {"section slip", "[polcy]\n", ":1:2: polcy: ", "no such section; did you mean [policy]?"},
        {"stages slip", "[[stages]]\n", ":1:1: stages[1]: ", "did you mean [[stage]]?"},
        {"no such key", "dns.colour = 1", ":1:5: dns.colour: ", "servers, timeout_ms or cache_mb"},
        {"no such section",
         "[colours]\n",
         ":1:2: colours: ",
         "dns, dkim, exempt, policy, letter, rollout, probe, store, fallback, stage or reply"},
        {"unprintable", "\"a\\u001b.\u00e9\" = 1", R"(:1:1: "a\x1b.\xc3\xa9": )", "no such"},
        {"dots in quotes", R"("dns.cache_mb" = 1)", R"(:1:1: "dns.cache_mb": )", "no such"},
        {"empty name", R"("" = 1)", R"(:1:1: "": )", "no such"},
        {"section as a value", "dns = 3", ":1:7: dns: ", "table, [dns], not a whole number"},
        {"section as an array",
         "[[dns]]\n",
         ":1:1: dns[1]: ",
         "table, [dns], not an array of tables"},
        {"value as a section", "[dns.cache_mb]\nx = 1\n", ":1:", "whole number from 1 to 4096"},
        {"profile", "[reply.gmx.closed]\n", ":1:8: reply.gmx: ", "eop, mx6, fallback or terse"},
        {"reason", "[reply.eop.shut]\n", ":1:12: reply.eop.shut: ", "unauthenticated"},
        {"reply key", "reply.eop.closed.sof = ''", ":1:18: reply.eop.closed.sof: ", "enforce"},
        {"reply as a value", "reply.eop = 1", ":1:13: reply.eop: ", "must be a table"},
    });
}

TEST_CASE("config: a value that cannot be is refused at its place") {
    check_refused({
        {"kind", "dns.timeout_ms = '3s'", ":1:18: dns.timeout_ms: ", "not a string"},
        {"item", "exempt.networks = [\n'::1',\n 'x']", ":3:2: exempt.networks: ", "not \"x\""},
        {"mode", "policy.mode = 'on'", ":1:15: policy.mode: ", R"("enforce" or "closed")"},
        {"first of two", "dns.cache_mb = 0\nmilter.socket = ''", ":1:16: dns.cache_mb: ", "4096"},
        {"deadline", "policy.deadline_ms = 300000", ":1:", "from 1000 to 240000, not 300000"},
    });
}

TEST_CASE("config: a reply that would be malformed is refused") {
    check_refused({
        {"classes differ",
         "[reply.eop.closed]\nsoft = '450 5.7.1'\n",
         ":2:8: reply.eop.closed.soft: ",
         "enhanced status code of its class"},
        {"soft bounces",
         "reply.eop.unauthenticated.soft = '550 5.7.26'",
         ":1:34: reply.eop.unauthenticated.soft: ",
         "must be a 4yz code"},
        {"temperror bounces",
         "reply.eop.reverse_name_temperror.enforce = '550 5.7.25'",
         ":1:44: ",
         "proves nothing"},
        {"no client",
         "reply.rfc7372.closed.text = ['no, {case}']",
         ":1:29: reply.rfc7372.closed.text: ",
         "{client}"},
        {"placeholder",
         "reply.rfc7372.closed.text = ['{client} {case} {colour}']",
         ":1:29: reply.rfc7372.closed.text: ",
         "colour"},
        {"not ASCII",
         "reply.rfc7372.closed.text = ['{client} {case} \u00e9']",
         ":1:29: reply.rfc7372.closed.text: ",
         "ASCII"},
        {"not a list", "reply.rfc7372.closed.text = 'x'", ":1:29: ", "must be an array"},
        {"not a line", "reply.rfc7372.closed.text = [1]", ":1:30: ", "must be a string"},
    });
}

TEST_CASE("config: the sample says the defaults") {
    const auto sample = sample_text();
    const auto config = parse(sample);
    REQUIRE_MESSAGE(config.has_value(), outcome_of(config));
    check_same(*config, Config{});

    // What it comments out, without a space after the #, is an example that holds as well.
    const auto with_all =
        std::regex_replace(sample, std::regex{"^#(?=[^ \n])", std::regex::multiline}, "");
    CHECK(with_all != sample);
    const auto examples = // some are of a store on a server
        std::regex_replace(with_all, std::regex{"\"sqlite:.*\""}, "\"rediss://redis.example.org\"");
    CHECK(examples != with_all);
    const auto full = parse(examples);
    REQUIRE_MESSAGE(full.has_value(), outcome_of(full));
    CHECK_FALSE(full->milter.authserv_id.empty());
    CHECK(full->policy.stages.size() == 6);
    CHECK(full->warnings.empty());
}

TEST_CASE("config: a file that cannot be read is an error, as a whole") {
    const auto refused = [](const std::string& file) { return outcome_of(load_config(file)); };
    CHECK(refused("/nowhere/sixgate.toml") ==
          "/nowhere/sixgate.toml: cannot be opened: No such file or directory");
    CHECK(refused("/") == "/: cannot be read: Is a directory");
    CHECK(contains(refused("/proc/self/mem"), "cannot be read: "));
    CHECK(contains(refused("/dev/zero"), "is too large: at most 1048576 octets"));
    CHECK(outcome_of(load_config(SOURCE_DIR "/contrib/sixgate.toml")) == "accepted");
}
