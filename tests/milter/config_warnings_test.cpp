#include "tests/milter/config_makers.hpp"

#include <algorithm>

using namespace milter;

TEST_CASE("config warnings: they name their place") {
    const auto warned = [](std::string_view text, std::string_view part) {
        const auto config = config_of(text);
        return std::ranges::any_of(config.warnings, [&](const std::string& warning) {
            return warning.find(part) != std::string::npos;
        });
    };
    CHECK(warned("", "sixgate.toml: milter.authserv_id: not set"));
    CHECK_FALSE(warned("milter.authserv_id = 'x.example'", "authserv_id"));
    CHECK(warned("dns.servers = ['192.0.2.1:53']", "sixgate.toml:1:5: dns.servers: 192.0.2.1:53"));
    CHECK(warned("dns.servers = ['[2001:db8::1]']", "[2001:db8::1]:53"));
    CHECK_FALSE(warned("dns.servers = ['[::1]', '127.0.0.53']", "dns.servers"));
    CHECK(warned("probe.recipients = ['postmaster@example.org']",
                 ":1:7: probe.recipients: postmaster@example.org is one of exempt.recipients"));
    CHECK_FALSE(warned("probe.recipients = ['test@example.org']", "probe"));
    CHECK(warned("policy.deadline_ms = 2000", ":1:8: policy.deadline_ms: shorter"));
    CHECK_FALSE(warned("policy.deadline_ms = 2000\ndns.timeout_ms = 1000", "deadline"));
}

TEST_CASE("config warnings: stages with what applies no more, already, or later than it says") {
    const auto warnings = [](const std::string& text) {
        auto all = config_of("milter.authserv_id = 'x'\n" + text, rollout_files).warnings;
        return all.empty() ? std::string{} : all.front();
    };
    const auto of_stage = [&](const std::string& keys) {
        return warnings("[[stage]]\nname = 'x'\n" + keys + '\n');
    };
    CHECK(of_stage("until = 2020-01-01T00:00:00Z") ==
          "sixgate.toml:4:1: stage[x].until: is past: the stage applies to nothing any more");
    CHECK(of_stage("from = 2020-01-01T00:00:00Z") ==
          "sixgate.toml:4:1: stage[x].from: is past: the stage applies already");
    CHECK(of_stage("from = 2999-01-01T00:00:00Z\nuntil = 2999-02-01T00:00:00Z").empty());
    CHECK(of_stage("percent = 0\n" + rollout).empty());
    CHECK(of_stage("percent = 100\n" + rollout).empty());

    const std::string closed = "mode = 'closed'\nclosed_at = 'helo'\n";
    CHECK(of_stage(closed).empty());
    CHECK(of_stage(closed + "networks = ['::1']\nlisteners = [':25']").empty());
    CHECK(of_stage(closed + "recipients = ['*@example.org']") ==
          "sixgate.toml:5:1: stage[x].closed_at: the stage selects by what is not known at HELO: "
          "the answer comes later");
    CHECK(warnings(
              "[[stage]]\nname = 'a'\nmode = 'off'\nreverse_names = ['.example.org']\n[policy]\n" +
              closed) ==
          R"(sixgate.toml:8:1: policy.closed_at: the stage "a" before it selects by what is not )"
          "known at HELO: the answer comes later");
    CHECK(warnings("[[stage]]\nname = 'a'\nnetworks = ['::1']\n[policy]\n" + closed).empty());
}

TEST_CASE("config warnings: grace that ends nothing") {
    const auto warning = [](const std::string& keys, const std::string& grace = "") {
        const auto all = config_of("milter.authserv_id = 'x'\n[policy]\nmode = 'soft'\n" + keys +
                                   "\n[policy.grace]\nattempts = 2\n" + grace)
                             .warnings;
        return all.empty() ? std::string{} : all.front();
    };
    const std::string place = "sixgate.toml:5:9: policy.grace: changes nothing: ";
    for (const char* const profile : {"rfc7372", "gmail", "eop", "terse"}) {
        CHECK(warning("profile = '" + std::string{profile} + '\'').empty());
    }
    CHECK(warning("profile = 'mx6'").starts_with(place + "the soft replies"));
    CHECK(warning("profile = 'mx6'", "then = 'tag'").starts_with(place + "the soft replies"));
    CHECK(warning("profile = 'fallback'").starts_with(place + "the enforce replies"));
    CHECK(warning("profile = 'fallback'", "then = 'tag'").empty());
    CHECK(
        warning("profile = 'fallback'", "[reply.fallback.unauthenticated]\nenforce = '550 5.7.26'")
            .empty());
}
