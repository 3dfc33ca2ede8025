// Which of several stages speaks, when, and for which recipients.
#include "policy/decide.hpp"
#include "policy/stage_choice.hpp"
#include "tests/policy/evidence_makers.hpp"
#include "tests/policy/stage_makers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every case below
using tests::policy_of;
using tests::stage;

namespace {

Selector names(const std::string& domain) {
    Selector selector;
    selector.reverse_names = tests::domains({domain});
    return selector;
}

Selector networks(const std::string& prefix) {
    Selector selector;
    selector.networks = tests::prefixes({prefix});
    return selector;
}

Selector recipients(const std::string& pattern) {
    Selector selector;
    selector.recipients = tests::recipients({pattern});
    return selector;
}

// As at RCPT: no answer of DNS is in.
Evidence at_rcpt() {
    Evidence evidence = tests::good_evidence();
    evidence.phase = Phase::rcpt;
    evidence.iprev.reset();
    evidence.spf_mail_from.reset();
    evidence.spf_helo.reset();
    evidence.dkim.reset();
    return evidence;
}

} // namespace

TEST_CASE("a closed stage answers at RCPT where those before it are known not to match") {
    const Stage closed = stage("world", Mode::closed);
    const Evidence evidence = at_rcpt();
    const auto other = policy_of({stage("partners", Mode::enforce, networks("fd00::/8")), closed});
    CHECK(decide(evidence, other)->reason == Reason::closed);
    const auto ours =
        policy_of({stage("partners", Mode::enforce, networks("2001:db8:5::/48")), closed});
    CHECK_FALSE(decide(evidence, ours));
    const auto by_name =
        policy_of({stage("partners", Mode::enforce, names(".example.org")), closed});
    CHECK_FALSE(decide(evidence, by_name));
    CHECK_FALSE(decide(tests::good_evidence(), by_name)->reason);
    const auto by_other_name =
        policy_of({stage("partners", Mode::enforce, names(".example.com")), closed});
    CHECK_FALSE(decide(evidence, by_other_name));
    CHECK(decide(tests::good_evidence(), by_other_name)->reason == Reason::closed);
}

TEST_CASE("nobody is refused for good by a stage that may not be theirs") {
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.iprev = {IprevResult::temperror, {}};
    auto policy = policy_of(
        {stage("partners", Mode::tag, names(".example.org")), stage("world", Mode::enforce)});
    policy.stages.back().requirements.reverse_name = ReverseName::any;
    policy.stages.back().requirements.on_temperror = OnTemperror::accept;
    const auto verdict = decide(evidence, policy);
    CHECK(verdict->action == Action::tempfail);
    CHECK(verdict->reason == Reason::reverse_name_temperror);
    policy.stages.front().selector = networks("fd00::/8"); // which is certain
    CHECK(decide(evidence, policy)->action == Action::reject);
}

TEST_CASE("of stages that differ by recipient the strictest speaks") {
    Evidence evidence = tests::unauthenticated_evidence();
    const auto policy = policy_of({stage("willing", Mode::enforce, recipients("*@example.net")),
                                   stage("rest", Mode::observe)});
    CHECK(decide(evidence, policy)->action == Action::reject);
    evidence.recipients = {"someone@example.com"};
    CHECK(decide(evidence, policy)->action == Action::accept);
    evidence.recipients = {"someone@example.com", "someone@example.net"};
    CHECK(decide(evidence, policy)->action == Action::reject);
    CHECK(decide(evidence, policy)->stage == "willing");
}

TEST_CASE("a recipient with two readings is no way around, in either order") {
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.recipients = {"postmaster@z<alice@example.net"};
    const auto strict_first =
        policy_of({stage("willing", Mode::enforce, recipients("*@example.net")),
                   stage("rest", Mode::observe)});
    CHECK(decide(evidence, strict_first)->action == Action::reject);
    const auto mild_first = policy_of({stage("spared", Mode::observe, recipients("*@example.net")),
                                       stage("rest", Mode::enforce)});
    CHECK(decide(evidence, mild_first)->action == Action::reject);
}

TEST_CASE("a recipient without a domain, or with one in other octets, is no way around") {
    Evidence evidence = tests::unauthenticated_evidence();
    for (const char* recipient : {"bob", "bob@b\u00fccher.example"}) {
        CAPTURE(recipient);
        evidence.recipients = {recipient};
        const auto policy = policy_of({stage("tenant", Mode::enforce, recipients("*@example.net")),
                                       stage("rest", Mode::observe)});
        CHECK(decide(evidence, policy)->action == Action::reject);
    }
    evidence.recipients = {"postmaster"};
    const auto of_postmaster = policy_of(
        {stage("spared", Mode::observe, recipients("postmaster@*")), stage("rest", Mode::enforce)});
    CHECK(decide(evidence, of_postmaster)->action == Action::accept);
}

TEST_CASE("two readings of a recipient take no doubt away") {
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.recipients = {"us%er@example.net"};
    evidence.iprev = {IprevResult::temperror, {}};
    auto policy = policy_of(
        {stage("partners", Mode::observe, names(".example.org")), stage("rest", Mode::enforce)});
    policy.stages.back().requirements.reverse_name = ReverseName::any;
    CHECK(decide(evidence, policy)->action == Action::tempfail);
    CHECK(decide(evidence, policy)->reason == Reason::reverse_name_temperror);
}

TEST_CASE("the reason of a doubt is what could not be looked up") {
    Selector partner;
    partner.authenticated = tests::domains({"partner.example"});
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.iprev->names.push_back({"x.partner.example", NameOutcome::not_looked_up, {}});
    const auto reason = [&](const Selector& selector) {
        return decide(evidence,
                      policy_of({stage("partners", Mode::observe, selector),
                                 stage("rest", Mode::enforce)}))
            ->reason;
    };
    CHECK(reason(names(".partner.example")) == Reason::reverse_name_temperror);
    evidence.dkim = std::vector{tests::signature(DkimResult::temperror)};
    evidence.dkim->front().sdid = "partner.example";
    CHECK(reason(partner) == Reason::dkim_temperror);
}

TEST_CASE("of two stages that let a message pass, the one that it falls short of speaks") {
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.recipients = {"b@example.net", "a@example.com"};
    auto policy = policy_of(
        {stage("tagged", Mode::tag, recipients("*@example.net")), stage("mild", Mode::enforce)});
    policy.stages.back().requirements.authentication = Authentication::any;
    const auto verdict = decide(evidence, policy);
    CHECK(verdict->stage == "tagged");
    CHECK(verdict->reason == Reason::unauthenticated);
    policy.stages.front().requirements.authentication = Authentication::any;
    policy.stages.back() = stage("observed", Mode::observe);
    CHECK(decide(evidence, policy)->stage == "tagged"); // and has the field that says "pass"
}

TEST_CASE("recipients that may end in different answers come apart") {
    auto policy = policy_of({stage("willing", Mode::enforce, recipients("*@example.net")),
                             stage("rest", Mode::observe)});
    Evidence evidence = at_rcpt();
    CHECK_FALSE(is_split_off(evidence, policy, "other@example.net"));
    CHECK(is_split_off(evidence, policy, "someone@example.com"));
    CHECK(is_split_off(evidence, policy, "a%example.com@example.net"));
    policy.stages.back().mode = Mode::enforce; // by another name the same
    CHECK_FALSE(is_split_off(evidence, policy, "someone@example.com"));
    policy.stages.back().mode = Mode::soft;
    CHECK(is_split_off(evidence, policy, "someone@example.com"));
    for (const Mode mode : {Mode::off, Mode::observe, Mode::tag}) { // neither refuses
        policy.stages.front().mode = mode;
        policy.stages.back().mode = Mode::observe;
        policy.stages.back().requirements.authentication = Authentication::any;
        CHECK_FALSE(is_split_off(evidence, policy, "someone@example.com"));
    }
    policy.stages.front().selector.reverse_names = tests::domains({".example.org"});
    CHECK_FALSE(
        is_split_off(evidence, policy, "someone@example.com")); // nor both that are possible
    policy.stages.front().mode = Mode::enforce;
    CHECK(is_split_off(evidence, policy, "someone@example.com"));
    policy.mixed_recipients = MixedRecipients::strictest;
    CHECK_FALSE(is_split_off(evidence, policy, "someone@example.com"));
    policy.mixed_recipients = MixedRecipients::split;
    evidence.is_authenticated = true; // never judged
    CHECK_FALSE(is_split_off(evidence, policy, "someone@example.com"));
    evidence = at_rcpt();
    evidence.recipients.clear();
    CHECK_FALSE(is_split_off(evidence, policy, "someone@example.com"));
}

TEST_CASE("a probe's address never travels with others") {
    auto policy = policy_of({stage("all", Mode::observe)});
    policy.mixed_recipients = MixedRecipients::strictest;
    policy.probe_recipients = tests::recipients({"test@example.net"});
    Evidence evidence = at_rcpt();
    CHECK(is_split_off(evidence, policy, "test@example.net"));
    evidence.recipients = {"test@example.net"};
    CHECK(is_split_off(evidence, policy, "someone@example.net"));
    CHECK_FALSE(is_split_off(evidence, policy, "TEST@example.net"));
    evidence.recipients = {"someone@example.net"};
    evidence.client = Address::parse("::1"); // our own mail is left alone
    CHECK_FALSE(is_split_off(evidence, policy, "test@example.net"));
}

TEST_CASE("trouble answers as the strictest stage that may apply") {
    const auto policy = policy_of({stage("partners", Mode::enforce, networks("2001:db8:5::/48")),
                                   stage("world", Mode::observe)});
    Evidence evidence = at_rcpt();
    CHECK(action_in_trouble(evidence, policy) == Action::tempfail);
    evidence.client = Address::parse("2001:db8:6::5");
    CHECK(action_in_trouble(evidence, policy) == Action::accept);
    evidence.client = Address::parse("192.0.2.1");
    CHECK(action_in_trouble(evidence, policy) == Action::accept);
    CHECK(action_in_trouble(policy) == Action::tempfail);
}

namespace {

constexpr unsigned seed = 20'261'122;

class Dice {
public:
    bool one_in(int sides) { return std::uniform_int_distribution{1, sides}(engine_) == 1; }

    template <typename Value>
    Value pick(const std::vector<Value>& values) {
        const std::uniform_int_distribution<std::size_t>::param_type range{0, values.size() - 1};
        return values[std::uniform_int_distribution<std::size_t>{}(engine_, range)];
    }

    double share() { return std::uniform_real_distribution{0.0, 100.0}(engine_); }

private:
    std::mt19937 engine_{seed};
};

Selector any_selector(Dice& dice) {
    Selector selector;
    if (dice.one_in(3)) {
        selector = networks(dice.pick<std::string>({"2001:db8:5::/48", "fd00::/8", "::/0"}));
    }
    if (dice.one_in(3)) {
        selector.reverse_names =
            tests::domains({dice.pick<std::string>({".example.org", ".example.com"})});
    }
    if (dice.one_in(3)) {
        selector.authenticated =
            tests::domains({dice.pick<std::string>({"example.org", "example.com"})});
    }
    if (dice.one_in(3)) {
        selector.recipients =
            tests::recipients({dice.pick<std::string>({"*@example.net", "*@example.com"})});
    }
    if (dice.one_in(4)) {
        selector.percent = dice.share();
    }
    return selector;
}

const std::vector all_modes{
    Mode::off, Mode::observe, Mode::tag, Mode::soft, Mode::enforce, Mode::closed};

Stage any_stage(Dice& dice, std::string name) {
    return stage(std::move(name), dice.pick(all_modes), any_selector(dice));
}

Evidence any_evidence(Dice& dice) {
    Evidence evidence = dice.one_in(2) ? tests::good_evidence() : tests::unauthenticated_evidence();
    evidence.iprev = dice.pick<IprevEvidence>(
        {tests::iprev_pass(), tests::iprev_fail(), {IprevResult::temperror, {}}});
    evidence.percentile = dice.share();
    evidence.recipients = dice.pick<std::vector<std::string>>({{"a@example.net"},
                                                               {"a@example.com"},
                                                               {"a@example.net", "a@example.com"},
                                                               {"x%y@example.net"}});
    return evidence;
}

} // namespace

TEST_CASE("property: a stage after the one that matches never changes a verdict") {
    CAPTURE(seed);
    Dice dice;
    int with_an_earlier_stage = 0;
    for (int round = 0; round < 5'000; ++round) {
        const Evidence evidence = any_evidence(dice);
        auto policy = policy_of(
            {any_stage(dice, "1"), any_stage(dice, "2"), stage("last", dice.pick(all_modes))});
        const auto verdict = decide(evidence, policy);
        REQUIRE(verdict);
        const auto choices = choices_for(policy, evidence);
        const bool is_all_of_the_first_two = std::ranges::all_of(
            choices, [](const Choice& choice) { return choice.stage->name != "last"; });
        with_an_earlier_stage += is_all_of_the_first_two ? 1 : 0;
        const auto place = is_all_of_the_first_two ? policy.stages.end() - 1 : policy.stages.end();
        policy.stages.insert(place, any_stage(dice, "added"));
        if (!is_all_of_the_first_two) { // "added" may have a selector, and is not to be the last
            policy.stages.push_back(stage("end", dice.pick(all_modes)));
        }
        CHECK(decide(evidence, policy) == verdict);
    }
    CHECK(with_an_earlier_stage > 500);
}

TEST_CASE("property: raising a percentage only adds") {
    Dice dice;
    for (int round = 0; round < 2'000; ++round) {
        Evidence evidence = tests::unauthenticated_evidence();
        evidence.percentile = dice.share();
        const double share = dice.share();
        Selector some;
        some.percent = share;
        Selector more = some;
        more.percent = share + (100 - share) * dice.share() / 100;
        const auto refused = [&](const Selector& selector) {
            return decide(evidence,
                          policy_of({stage("part", Mode::enforce, selector),
                                     stage("rest", Mode::observe)}))
                       ->action == Action::reject;
        };
        CHECK(refused(some) <= refused(more));
        CHECK(refused(some) == (*evidence.percentile < share));
    }
}
