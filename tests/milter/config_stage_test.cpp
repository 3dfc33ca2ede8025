#include "tests/milter/config_makers.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

using namespace milter;
using policy::Profile;
using policy::Reason;

namespace {

std::vector<std::string> names_of(const Config& config) {
    std::vector<std::string> names;
    std::ranges::transform(config.policy.stages, std::back_inserter(names), &policy::Stage::name);
    return names;
}

struct Refused {
    const char* name;
    std::string keys;
    std::string error; // after "sixgate.toml:3:"
};

} // namespace

TEST_CASE("config stages: without one there is the stage of [policy]") {
    const auto config = config_of("[policy]\nmode = 'soft'\nprofile = 'eop'");
    CHECK(names_of(config) == std::vector<std::string>{"default"});
    CHECK(config.policy.stages[0].selector == policy::Selector{});
    CHECK(config.policy.stages[0].mode == policy::Mode::soft);
}

TEST_CASE("config stages: where the last one selects, [policy] is for the rest") {
    CHECK(names_of(config_of("[[stage]]\nname = 'a'\nnetworks = ['::1']\n[[stage]]\nname = 'b'\n"
                             "recipients = ['*@example.org']\n")) ==
          std::vector<std::string>{"a", "b", "default"});
    CHECK(
        names_of(config_of("[[stage]]\nname = 'a'\nnetworks = ['::1']\n[[stage]]\nname = 'b'\n")) ==
        std::vector<std::string>{"a", "b"});
    CHECK(names_of(config_of("[[stage]]\nname = 'default'\n")) ==
          std::vector<std::string>{"default"});
    CHECK(config_of("[[stage]]\nname = 'a'\nnetworks = ['::1']\nmode = 'off'\n"
                    "[policy]\nmode = 'closed'")
              .policy.stages.back()
              .mode == policy::Mode::closed);
}

TEST_CASE("config stages: a stage inherits [policy], wherever that stands") {
    const std::string policy = "[policy]\nmode = 'soft'\nprofile = 'eop'\nclosed_at = 'helo'\n"
                               "reverse_name = 'any'\nsender_domain = 'reachable'\n"
                               "help_url = 'https://example.org/'\n";
    const std::vector<std::string> orders{rollout + '\n' + policy + stage_text("percent = 1"),
                                          stage_text("percent = 1") + policy + rollout};
    for (const auto& text : orders) {
        const auto stages = config_of(text, rollout_files).policy.stages;
        REQUIRE(stages.size() == 2);
        CHECK(stages[0].mode == policy::Mode::soft);
        CHECK(stages[0].closed_at == policy::ClosedAt::helo);
        CHECK(stages[0].requirements == stages[1].requirements);
        CHECK(stages[0].requirements.reverse_name == policy::ReverseName::any);
        CHECK(stages[0].requirements.sender_domain == policy::SenderDomain::reachable);
        CHECK(stages[0].requirements.null_reverse_path == policy::NullReversePath::strict);
        CHECK(stages[0].replies.rows == policy::replies_of(Profile::eop).rows);
        CHECK(stages[0].help_url == "https://example.org/");
        CHECK(stages[0].selector.percent == 1);
        CHECK(stages[1].selector == policy::Selector{});
    }
}

TEST_CASE("config stages: keys of its own override, and leave [policy] alone") {
    const auto stages = config_of(R"(
[policy]
mode = "tag"
[[stage]]
name = "x"
networks = ["::1"]
mode = "closed"
closed_at = "helo"
reverse_name = "present"
authentication = "aligned"
sender_domain = "reachable"
on_temperror = "accept"
null_reverse_path = "strict"
count_wide_spf = false
help_url = "https://example.org/x"
)")
                            .policy.stages;
    CHECK(stages[0].mode == policy::Mode::closed);
    CHECK(stages[0].closed_at == policy::ClosedAt::helo);
    CHECK(stages[0].requirements == policy::Requirements{policy::ReverseName::present,
                                                         policy::Authentication::aligned,
                                                         policy::SenderDomain::reachable,
                                                         policy::OnTemperror::accept,
                                                         policy::NullReversePath::strict,
                                                         false});
    CHECK(stages[0].help_url == "https://example.org/x");
    CHECK(stages[1].mode == policy::Mode::tag);
    CHECK(stages[1].requirements == policy::Requirements{});
    CHECK(stages[1].help_url.empty());
}

TEST_CASE("config stages: a profile of its own begins anew, before its own keys, in any order") {
    const std::string policy = "[policy]\nprofile = 'gmail'\nreverse_name = 'any'\n"
                               "count_wide_spf = false\nmode = 'soft'\n";
    const auto stage = stage_of("null_reverse_path = 'strict'\nprofile = 'mx6'\n", policy);
    CHECK(stage.mode == policy::Mode::soft); // which no profile sets
    CHECK(stage.requirements.reverse_name == policy::ReverseName::confirmed);
    CHECK(stage.requirements.count_wide_spf);
    CHECK(stage.requirements.null_reverse_path == policy::NullReversePath::strict);
    CHECK(stage.replies.rows == policy::replies_of(Profile::mx6).rows);

    const auto same = stage_of("profile = 'gmail'\n", policy);
    CHECK(same.requirements == policy::requirements_of(Profile::gmail));
    CHECK_FALSE(stage_of("profile = 'terse'\n", policy).replies.has_diagnostics);
}

TEST_CASE("config stages: [reply.PROFILE.REASON] is for every stage with that profile") {
    const auto stages = config_of(R"(
[reply.eop.unauthenticated]
enforce = "450 4.7.26"
[reply.fallback.closed]
soft = "456 4.7.1"
[[stage]]
name = "a"
networks = ["::1"]
profile = "eop"
[[stage]]
name = "b"
networks = ["::2"]
[[stage]]
name = "c"
networks = ["::3"]
profile = "fallback"
[stage.reply.closed]
enforce = "421 4.7.1"
[[stage]]
name = "d"
profile = "eop"
[stage.reply.unauthenticated]
enforce = "551 5.7.26"
text = ["[{client}] no, case {case}"]
)")
                            .policy.stages;
    REQUIRE(stages.size() == 4);
    const auto enforced = [&](std::size_t i, Reason reason) {
        return stages[i].replies[reason].enforce.to_string();
    };
    CHECK(enforced(0, Reason::unauthenticated) == "450 4.7.26");
    CHECK(enforced(1, Reason::unauthenticated) == "550 5.7.26");
    CHECK(stages[2].replies[Reason::closed].soft.to_string() == "456 4.7.1");
    CHECK(enforced(2, Reason::closed) == "421 4.7.1");
    CHECK(enforced(3, Reason::unauthenticated) == "551 5.7.26");
    CHECK(stages[3].replies[Reason::unauthenticated].soft.to_string() == "450 4.7.26");
    CHECK(stages[3].replies[Reason::unauthenticated].text ==
          std::vector<std::string>{"[{client}] no, case {case}"});
    CHECK(enforced(3, Reason::closed) == "550 5.2.1");
}

TEST_CASE("config stages: a value that cannot be is refused by the name of its stage") {
    const std::vector<Refused> cases{
        {"mode", "mode = 'on'", R"(8: stage[x].mode: must be "off", )"},
        {"profile", "profile = 'gmx'", R"(11: stage[x].profile: must be "rfc7372", )"},
        {"closed_at", "closed_at = 'mail'", R"(13: stage[x].closed_at: must be "rcpt" or "helo")"},
        {"reverse_name", "reverse_name = 1", R"(16: stage[x].reverse_name: must be "confirmed")"},
        {"authentication", "authentication = 'x'", "18: stage[x].authentication: must be"},
        {"sender_domain", "sender_domain = true", "17: stage[x].sender_domain: must be"},
        {"on_temperror", "on_temperror = ''", "16: stage[x].on_temperror: must be"},
        {"null_reverse_path", "null_reverse_path = ''", "21: stage[x].null_reverse_path: must be"},
        {"count_wide_spf", "count_wide_spf = 'no'", "18: stage[x].count_wide_spf: must be true"},
        {"help_url", "help_url = 'x'", "12: stage[x].help_url: must be a URL"},
        {"networks", "networks = '::1'", "12: stage[x].networks: must be an array of IPv6"},
        {"no network", "networks = []", "12: stage[x].networks: is empty and would select nobody"},
        {"IPv4",
         "networks = ['::1', '192.0.2.1']",
         R"(20: stage[x].networks: "192.0.2.1" is IPv4)"},
        {"host bits",
         "networks = ['2001:db8::1/32']",
         R"(13: stage[x].networks: "2001:db8::1/32" has bits beyond its length: write )"
         R"("2001:db8::/32")"},
        {"number", "networks = [1]", "13: stage[x].networks: must be a string, not a whole number"},
        {"reverse_names",
         "reverse_names = ['a b']",
         "18: stage[x].reverse_names: must be a domain"},
        {"no name", "reverse_names = []", "17: stage[x].reverse_names: is empty"},
        {"authenticated",
         "authenticated = ['*.example.org']",
         R"(18: stage[x].authenticated: write ".example.org")"},
        {"no domain", "authenticated = []", "17: stage[x].authenticated: is empty"},
        {"recipients",
         "recipients = ['example.org']",
         R"(15: stage[x].recipients: write "*@example.org")"},
        {"no recipient", "recipients = []", "14: stage[x].recipients: is empty"},
        {"listeners", "listeners = ['25']", R"(14: stage[x].listeners: write ":25" for a port)"},
        {"number of a port", "listeners = [25]", "14: stage[x].listeners: must be a string"},
        {"no listener", "listeners = []", "13: stage[x].listeners: is empty"},
        {"percent", "percent = 101", "11: stage[x].percent: must be a number from 0 to 100"},
        {"percent as text", "percent = '5%'", "11: stage[x].percent: must be a number"},
        {"percent without a key", "percent = 5", "1: stage[x].percent: needs [rollout] key"},
        {"from as text", "from = '2027-01-01'", "8: stage[x].from: must be a date and time"},
        {"a date alone", "until = 2027-01-01", "9: stage[x].until: must be a date and time"},
        {"local time",
         "from = 2027-01-01T08:00:00",
         "8: stage[x].from: must be a date and time with its offset, such as "
         "2027-01-31T08:00:00+01:00 (no quotes; Z is UTC), because all MX hosts must agree on it, "
         "not one without an offset"},
        {"slip",
         "network = ['::1']",
         "1: stage[x].network: no such setting; did you mean stage.net"},
        {"of [policy] alone",
         "deadline_ms = 1",
         "1: stage[x].deadline_ms: no such setting; did you "
         "mean policy.deadline_ms?"},
        {"of another section",
         "servers = []",
         "1: stage[x].servers: no such setting; did you mean "
         "dns.servers?"},
        {"unknown", "colour = 'red'", "1: stage[x].colour: no such setting; here stand name, "},
        {"deeper", "mode.x = 1", R"(1: stage[x].mode: must be "off")"},
        {"reply as a value", "reply = 1", "9: stage[x].reply: must be a table, [stage.reply], not"},
        {"reason", "reply.shut.soft = ''", "7: stage[x].reply.shut: no such reason; there are "},
        {"reason as a value", "reply.closed = ''", "16: stage[x].reply.closed: must be a table"},
        {"reply key", "reply.closed.sof = ''", "14: stage[x].reply.closed.sof: no such setting"},
        {"soft bounces",
         "reply.unauthenticated.soft = '550 5.7.26'",
         "30: stage[x].reply.unauthenticated.soft: must be a 4yz code"},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            const auto refusal = outcome_of(stage_text(c.keys));
            CAPTURE(refusal);
            CHECK(refusal.starts_with("sixgate.toml:3:" + c.error));
        }
    }
}

TEST_CASE("config stages: in mx6 a soft reply may be a 5yz code, as what a sender goes on from") {
    CHECK(stage_of("profile = 'mx6'\nreply.unauthenticated.soft = '550 5.5.5'")
              .replies[Reason::unauthenticated]
              .soft.is_permanent());
}

TEST_CASE("config stages: a name is one word, and one stage's") {
    const auto named = [](const std::string& name) {
        return outcome_of("[[stage]]\nname = '" + name + "'\n");
    };
    for (const auto* name : {"partners", "10-percent", "a", "A_b-1", "default"}) {
        CHECK(named(name) == "accepted");
    }
    CHECK(named(std::string(60, 'a')) == "accepted");
    for (const auto& name : {std::string{},
                             std::string{"two words"},
                             std::string{"a=b"},
                             std::string{"2"},
                             std::string{"\u00e9"},
                             std::string(61, 'a')}) {
        CAPTURE(name);
        CHECK(named(name).starts_with("sixgate.toml:2:8: stage["));
    }
    CHECK(outcome_of("[[stage]]\nmode = 'off'\n") == "sixgate.toml:1:1: stage[1]: has no name");
    CHECK(outcome_of("[[stage]]\nname = 'a'\npercent = 1\n[[stage]]\n" + rollout, rollout_files) ==
          "sixgate.toml:4:1: stage[2]: has no name");
    CHECK(outcome_of("[[stage]]\nname = 'a'\nnetworks = ['::1']\n[[stage]]\nname = 'a'\n") ==
          "sixgate.toml:5:1: stage[a].name: is the name of an earlier stage, too");
    CHECK(outcome_of("[[stage]]\nname = 'default'\nnetworks = ['::1']\n") ==
          "sixgate.toml:2:1: stage[default].name: is the name of the last stage, the one without a "
          "selector");
}

TEST_CASE("config stages: one that can never apply is refused") {
    CHECK(outcome_of("[[stage]]\nname = 'all'\n[[stage]]\nname = 'world'\npercent = 1\n" + rollout,
                     rollout_files) ==
          R"(sixgate.toml:3:1: stage[world]: can never apply: the stage "all" before it has no )"
          "selector and takes the rest");
    const std::string from = "from = 2027-01-01T01:00:00+01:00\n";
    CHECK(outcome_of(stage_text(from + "until = 2027-01-01T00:00:00Z")) ==
          "sixgate.toml:4:1: stage[x].until: is not after from: the stage would never apply");
    CHECK(outcome_of(stage_text("until = 2027-01-01T00:00:00Z\n" + from))
              .starts_with("sixgate.toml:3:1: "));
    CHECK(outcome_of(stage_text(from + "until = 2027-01-01T00:00:01Z")) == "accepted");
}

TEST_CASE("config stages: they are an array of tables") {
    CHECK(outcome_of("[stage]\nname = 'x'\n") ==
          "sixgate.toml:1:1: stage: must be tables, [[stage]], not a single one, [stage]");
    CHECK(outcome_of("stage = 3") ==
          "sixgate.toml:1:9: stage: must be tables, [[stage]], not a whole number");
    CHECK(outcome_of("stage = []") == "sixgate.toml:1:9: stage: must be tables, [[stage]], not an "
                                      "array");
    CHECK(names_of(config_of("stage = [{name = 'a', mode = 'soft'}]")) ==
          std::vector<std::string>{"a"});
}
