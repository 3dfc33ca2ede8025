// The examples of sixgate.toml(5): each is a whole configuration, and does what its text says.
#include "policy/decide.hpp"
#include "policy/reply.hpp"
#include "tests/milter/config_makers.hpp"

#include <fstream>
#include <map>
#include <set>

using policy::Action;

namespace {

// By their names, which stand before them: .\" example: NAME
std::map<std::string, std::string> examples() {
    std::ifstream manual{SOURCE_DIR "/man/sixgate.toml.5"};
    std::map<std::string, std::string> found;
    std::string name;
    bool is_inside = false;
    for (std::string line; std::getline(manual, line);) {
        constexpr std::string_view mark = ".\\\" example: ";
        if (line.starts_with(mark)) {
            name = line.substr(mark.size());
        } else if (line.starts_with(".Bd -literal")) {
            is_inside = true;
        } else if (line == ".Ed") {
            is_inside = false;
            name.clear();
        } else if (is_inside && !name.empty()) {
            found[name] += line + '\n';
        }
    }
    return found;
}

milter::Config example(const std::string& name) {
    Files files = rollout_files;
    files["/etc/sixgate/rollout.key"] = "0123456789abcdef\n";
    files["/etc/sixgate/partner-networks"] = "2001:db8:a::/48\n";
    return config_of("\n" + examples().at(name), files);
}

// All is known and nothing passes.
policy::Evidence failing(const char* client, const char* recipient) {
    policy::Evidence evidence;
    evidence.time = std::chrono::sys_days{std::chrono::year{2027} / 2 / 2};
    evidence.client = policy::Address::parse(client);
    evidence.mail_from = "user@example.com";
    evidence.mail_from_domain = "example.com";
    evidence.recipients = {recipient};
    evidence.percentile = 50;
    evidence.iprev = policy::IprevEvidence{policy::IprevResult::permerror, {}};
    evidence.spf_mail_from.emplace();
    evidence.spf_helo.emplace();
    evidence.dkim.emplace();
    return evidence;
}

policy::Evidence named(policy::Evidence evidence, const char* name) {
    evidence.iprev = policy::IprevEvidence{policy::IprevResult::pass,
                                           {{name, policy::NameOutcome::leads_back, {}}}};
    return evidence;
}

// "STAGE MODE REPLY", of the reply to the sender, or that there is none.
std::string outcome_in(const milter::Config& config, const policy::Evidence& evidence) {
    const auto verdict = policy::decide(evidence, config.policy);
    REQUIRE(verdict.has_value());
    const bool goes_on = verdict->action == Action::accept;
    return verdict->stage + ' ' + std::string{to_string(verdict->mode)} + ' ' +
           (goes_on ? "250" : policy::code_for(*verdict, config.policy).to_string());
}

} // namespace

TEST_CASE("manual: every example is right, and none gets a warning that a date will not mend") {
    std::set<std::string> names;
    for (const auto& each : examples()) {
        names.insert(each.first);
        CAPTURE(each.first);
        const auto config = example(each.first);
        for (const auto& warning : config.warnings) {
            const bool is_expected = warning.find("is past: ") != std::string::npos ||
                                     warning.find("authserv_id: not set") != std::string::npos;
            CHECK_MESSAGE(is_expected, warning);
        }
    }
    CHECK(names == std::set<std::string>{
                       "forwarder", "gmail", "mx6", "partners", "soft-eop", "tenants", "words"});
}

TEST_CASE("manual: partners first") {
    const auto config = example("partners");
    const auto outcome = [&](const char* client, double percentile) {
        auto evidence = failing(client, "user@example.org");
        evidence.percentile = percentile;
        return outcome_in(config, evidence);
    };
    CHECK(outcome("2001:db8:8::25", 50) == "partners enforce 550 5.7.25");
    CHECK(outcome("2001:db8:9::25", 50) == "partners enforce 550 5.7.25");
    CHECK(outcome("2001:db8:9::26", 50) == "default closed 451 4.7.1");
    CHECK(outcome("2001:db8:a::1", 50) == "partners enforce 550 5.7.25");
    CHECK(outcome("2001:db8:5::5", 10) == "default closed 451 4.7.1");
    CHECK(outcome("2001:db8:5::5", 9.9) == "world soft 450 4.7.25");
    auto early = failing("2001:db8:5::5", "user@example.org");
    early.percentile = 0;
    early.time = *early.time - std::chrono::days{2};
    CHECK(outcome_in(config, early) == "default closed 451 4.7.1");
}

TEST_CASE("manual: tenants opt in") {
    const auto config = example("tenants");
    const auto outcome = [&](const char* recipient) {
        return outcome_in(config, failing("2001:db8:5::5", recipient));
    };
    CHECK(outcome("user@example.org") == "opted-in enforce 550 5.7.25");
    CHECK(outcome("office@example.com") == "opted-in enforce 550 5.7.25");
    CHECK(outcome("user@example.com") == "default closed 550 5.2.1");
    CHECK(outcome("user@sub.example.org") == "default closed 550 5.2.1");
    CHECK(outcome("postmaster@example.com") == "default closed 250");
    auto at_rcpt = failing("2001:db8:5::5", "user@example.com");
    at_rcpt.phase = policy::Phase::rcpt;
    at_rcpt.dkim.reset();
    CHECK(outcome_in(config, at_rcpt) == "default closed 550 5.2.1");
}

TEST_CASE("manual: a forwarder by its confirmed name") {
    const auto config = example("forwarder");
    const auto from = failing("2001:db8:5::5", "user@example.org");
    CHECK(outcome_in(config, named(from, "mx7.out.forwarder.example")) == "forwarder tag 250");
    CHECK(outcome_in(config, named(from, "mail.alumni.example")) == "forwarder tag 250");
    CHECK(outcome_in(config, named(from, "mail.example.com")) == "default enforce 550 5.7.26");
    auto forged = named(from, "mx7.out.forwarder.example");
    forged.iprev->result = policy::IprevResult::fail;
    forged.iprev->names[0].outcome = policy::NameOutcome::elsewhere;
    CHECK(outcome_in(config, forged) == "default enforce 550 5.7.25");
}

TEST_CASE("manual: MX6 on its listener alone") {
    const auto config = example("mx6");
    auto evidence = failing("2001:db8:5::5", "user@example.org");
    evidence.listener = {"mx.example.org", "2001:db8::6", "25"};
    CHECK(outcome_in(config, evidence) == "mx6 enforce 550 5.5.5");
    evidence.listener.address = "2001:db8::25";
    CHECK(outcome_in(config, evidence) == "default observe 250");
}
