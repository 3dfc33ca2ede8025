// [policy.grace] and [stage.grace], and [fallback].
#include "tests/milter/config_makers.hpp"

#include <chrono>
#include <vector>

using namespace milter;
using policy::AfterGrace;
using policy::Grace;

namespace {

const std::string soft = "[policy]\nmode = 'soft'\n";

std::optional<Grace> grace_of(const std::string& text) {
    return config_of(text).policy.stages.front().grace;
}

struct GraceCase {
    const char* name;
    std::string text;
    std::string error; // after the name of the file
};

} // namespace

TEST_CASE("config grace: a stage has it where it says so, with what it does not say by default") {
    const Grace usual;
    CHECK_FALSE(grace_of(soft));
    CHECK(grace_of(soft + "[policy.grace]\n") == usual);
    CHECK(grace_of(soft + "[policy.grace]\nattempts = 7\n") == Grace{7, usual.period, usual.then});
    CHECK(grace_of(soft + "grace = { period = '12h', then = 'tag' }\n") ==
          Grace{usual.attempts, std::chrono::hours{12}, AfterGrace::tag});
    CHECK(grace_of("policy.grace.attempts = 2\npolicy.mode = 'soft'\n") ==
          Grace{2, usual.period, usual.then});
    CHECK(grace_of(stage_text("mode = 'soft'\n[stage.grace]\nperiod = '2w'\nthen = 'enforce'")) ==
          Grace{usual.attempts, std::chrono::days{14}, AfterGrace::enforce});
}

TEST_CASE("config grace: stages inherit it, and those that are not soft do without") {
    const auto stages = config_of("[policy]\nmode = 'soft'\n[policy.grace]\nattempts = 2\n"
                                  "[[stage]]\nname = 'a'\nnetworks = ['::1']\nmode = 'enforce'\n"
                                  "[[stage]]\nname = 'b'\nnetworks = ['::2']\n"
                                  "[[stage]]\nname = 'c'\nnetworks = ['::3']\n"
                                  "[stage.grace]\nperiod = '1d'\n")
                            .policy.stages;
    REQUIRE(stages.size() == 4);
    CHECK_FALSE(stages[0].grace);
    CHECK(stages[1].grace == Grace{2, Grace{}.period, AfterGrace::enforce});
    CHECK(stages[2].grace == Grace{2, std::chrono::days{1}, AfterGrace::enforce});
    CHECK(stages[3].grace == stages[1].grace);
    CHECK_FALSE(config_of("[policy.grace]\n" + stage_text("mode = 'soft'\nnetworks = ['::1']"))
                    .policy.stages.back()
                    .grace);
}

TEST_CASE("config grace: what is wrong with it is refused, with its place") {
    const std::string not_soft = "is only for the mode \"soft\", which puts mail off";
    const std::string length = "must be a number and a unit, such as \"12h\", \"5d\" or \"2w\", "
                               "from 1h to 60d, not ";
    const std::vector<GraceCase> cases{
        {"observe", "[policy.grace]\n", ":1:9: policy.grace: " + not_soft},
        {"stage that enforces",
         "[[stage]]\nname = 'x'\nmode = 'enforce'\n[stage.grace]\nattempts = 2",
         ":4:8: stage[x].grace: " + not_soft},
        {"stage that inherits another mode",
         "[[stage]]\nname = 'x'\n[stage.grace]\nattempts = 2\n[policy]\nmode = 'tag'",
         ":3:8: stage[x].grace: " + not_soft},
        {"no such key", soft + "grace.tries = 3\n", ":3:7: policy.grace.tries: no such setting"},
        {"a number for a table", soft + "grace = 3\n", ":3:9: policy.grace: must be a table"},
        {"no tries",
         soft + "grace.attempts = 0\n",
         ":3:18: policy.grace.attempts: must be a whole number from 1 to 10000, not 0"},
        {"no unit",
         soft + "grace.period = '5'\n",
         ":3:16: policy.grace.period: " + length + "\"5\""},
        {"too short",
         soft + "grace.period = '59m'\n",
         ":3:16: policy.grace.period: " + length + "\"59m\""},
        {"too long", soft + "grace.period = '61d'\n", ":3:16: policy.grace.period: " + length},
        {"a number", soft + "grace.period = 5\n", ":3:16: policy.grace.period: " + length},
        {"then what",
         soft + "grace.then = 'closed'\n",
         R"(:3:14: policy.grace.then: must be "enforce" or "tag", not "closed")"},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            const auto outcome = outcome_of(c.text);
            CAPTURE(outcome);
            CHECK(outcome.starts_with("sixgate.toml" + c.error));
        }
    }
}

TEST_CASE("config fallback: nothing is watched for by default") {
    CHECK_FALSE(config_of("").fallback_window);
    CHECK_FALSE(config_of("[fallback]\n").fallback_window);
    CHECK(config_of("[fallback]\nwindow = '5d'").fallback_window == std::chrono::days{5});
    CHECK(
        outcome_of("[fallback]\nwindow = '31d'").starts_with("sixgate.toml:2:10: fallback.window"));
    CHECK(outcome_of("[fallback]\nwindow = 5").starts_with("sixgate.toml:2:10: fallback.window"));
}

TEST_CASE("config: without a store there is neither grace nor watch, and a warning says so") {
    const auto warnings =
        config_of(
            "[milter]\nauthserv_id = 'a'\n[store]\nurl = 'none'\n[fallback]\nwindow = '5d'\n" +
            soft + "[policy.grace]\n[[stage]]\nname = 'x'\nnetworks = ['::1']\n")
            .warnings;
    REQUIRE(warnings.size() == 3);
    CHECK(warnings[0].starts_with("sixgate.toml:6:1: fallback.window: needs a store"));
    CHECK(warnings[1].find("stage[x].grace: needs a store") != std::string::npos);
    CHECK(warnings[2].starts_with("sixgate.toml:9:9: policy.grace: needs a store"));
}
