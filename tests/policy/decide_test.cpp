#include "policy/decide.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

namespace {

Policy with_mode(Mode mode) {
    Policy policy;
    policy.stages.front().mode = mode;
    return policy;
}

// What the requirements of `policy` find, whatever its mode would make of it.
struct Case {
    std::string name;
    std::function<void(Evidence&)> change;
    std::function<void(Requirements&)> ask;
    std::optional<Reason> reason;
};

const auto as_usual = [](auto&) {};

void no_ptr(Evidence& evidence) {
    evidence.iprev = {IprevResult::permerror, {}};
}

void forged_ptr(Evidence& evidence) {
    evidence.iprev = tests::iprev_fail();
}

void ptr_temperror(Evidence& evidence) {
    evidence.iprev = {IprevResult::temperror, {}};
}

void nothing_authenticates(Evidence& evidence) {
    evidence = tests::unauthenticated_evidence();
}

std::function<void(Evidence&)> with(SpfResult spf, std::vector<DkimResult> dkim) {
    return [=](Evidence& evidence) {
        evidence.spf_mail_from = tests::spf(spf);
        evidence.dkim->clear();
        for (const DkimResult result : dkim) {
            evidence.dkim->push_back(tests::signature(result));
        }
    };
}

// A bounce of a host whose own name has no SPF record.
void unsigned_bounce(Evidence& evidence) {
    evidence.mail_from.clear();
    evidence.mail_from_domain.clear();
    evidence.spf_mail_from.reset();
    evidence.dkim->clear();
}

} // namespace

TEST_CASE("decide: every combination that matters") {
    const auto any_reverse_name = [](Requirements& r) { r.reverse_name = ReverseName::any; };
    const auto present = [](Requirements& r) { r.reverse_name = ReverseName::present; };
    const auto any_authentication = [](Requirements& r) { r.authentication = Authentication::any; };
    const auto both = [](Requirements& r) { r.authentication = Authentication::spf_and_dkim; };
    const auto strict = [](Requirements& r) { r.null_reverse_path = NullReversePath::strict; };
    const auto accept_temperror = [](Requirements& r) { r.on_temperror = OnTemperror::accept; };
    const auto narrow = [](Requirements& r) { r.count_wide_spf = false; };

    const std::vector<Case> cases{
        {"all is well", as_usual, as_usual, {}},

        {"no PTR", no_ptr, as_usual, Reason::reverse_name_missing},
        {"forged PTR", forged_ptr, as_usual, Reason::reverse_name_mismatch},
        {"PTR temperror", ptr_temperror, as_usual, Reason::reverse_name_temperror},
        {"no PTR, none asked for", no_ptr, any_reverse_name, {}},
        {"forged PTR, none asked for", forged_ptr, any_reverse_name, {}},
        {"PTR temperror, none asked for", ptr_temperror, any_reverse_name, {}},
        {"no PTR, one must be present", no_ptr, present, Reason::reverse_name_missing},
        {"forged PTR is present", forged_ptr, present, {}},
        {"PTR temperror, one must be present",
         ptr_temperror,
         present,
         Reason::reverse_name_temperror},
        {"a PTR whose name cannot be looked up is present",
         [](Evidence& e) {
             e.iprev = {IprevResult::temperror, {{"a.example", NameOutcome::not_looked_up, {}}}};
         },
         present,
         {}},

        {"SPF alone is enough", with(SpfResult::pass, {}), as_usual, {}},
        {"DKIM alone is enough", with(SpfResult::fail, {DkimResult::pass}), as_usual, {}},
        {"one signature of many is enough",
         with(SpfResult::none, {DkimResult::fail, DkimResult::temperror, DkimResult::pass}),
         as_usual,
         {}},
        {"softfail is no pass", with(SpfResult::softfail, {}), as_usual, Reason::unauthenticated},
        {"neutral is no pass", with(SpfResult::neutral, {}), as_usual, Reason::unauthenticated},
        {"none is no pass", with(SpfResult::none, {}), as_usual, Reason::unauthenticated},
        {"permerror is no pass", with(SpfResult::permerror, {}), as_usual, Reason::unauthenticated},
        {"a signature that does not count is no pass",
         with(SpfResult::fail, {DkimResult::policy}),
         as_usual,
         Reason::unauthenticated},
        {"a broken signature is no pass",
         with(SpfResult::fail, {DkimResult::fail, DkimResult::permerror, DkimResult::neutral}),
         as_usual,
         Reason::unauthenticated},
        {"none asked for", nothing_authenticates, any_authentication, {}},

        {"SPF temperror, no signature",
         with(SpfResult::temperror, {}),
         as_usual,
         Reason::authentication_temperror},
        {"SPF temperror, broken signature",
         with(SpfResult::temperror, {DkimResult::fail}),
         as_usual,
         Reason::authentication_temperror},
        {"SPF temperror does not matter where DKIM passes",
         with(SpfResult::temperror, {DkimResult::pass}),
         as_usual,
         {}},
        {"DKIM temperror does not matter where SPF passes",
         with(SpfResult::pass, {DkimResult::temperror}),
         as_usual,
         {}},
        {"DKIM temperror where SPF fails",
         with(SpfResult::fail, {DkimResult::temperror}),
         as_usual,
         Reason::dkim_temperror},
        {"both temperror is SPF's",
         with(SpfResult::temperror, {DkimResult::temperror}),
         as_usual,
         Reason::authentication_temperror},

        {"both asked for, both there", as_usual, both, {}},
        {"both asked for, no DKIM", with(SpfResult::pass, {}), both, Reason::unauthenticated},
        {"both asked for, no SPF",
         with(SpfResult::fail, {DkimResult::pass}),
         both,
         Reason::unauthenticated},
        {"both asked for, one fails for good, one for now",
         with(SpfResult::fail, {DkimResult::temperror}),
         both,
         Reason::unauthenticated},
        {"both asked for, DKIM temperror",
         with(SpfResult::pass, {DkimResult::temperror}),
         both,
         Reason::dkim_temperror},

        {"reverse name speaks before authentication",
         [](Evidence& e) {
             nothing_authenticates(e);
             no_ptr(e);
         },
         as_usual,
         Reason::reverse_name_missing},
        {"what is certain speaks before what is not",
         [](Evidence& e) {
             nothing_authenticates(e);
             ptr_temperror(e);
         },
         as_usual,
         Reason::unauthenticated},
        {"a temperror may be waived", ptr_temperror, accept_temperror, {}},
        {"a waived temperror hides no failure",
         [](Evidence& e) {
             ptr_temperror(e);
             nothing_authenticates(e);
         },
         accept_temperror,
         Reason::unauthenticated},

        {"wide SPF counts",
         [](Evidence& e) {
             e.dkim->clear();
             e.spf_mail_from->is_wide = true;
         },
         as_usual,
         {}},
        {"wide SPF does not count where it must not",
         [](Evidence& e) {
             e.dkim->clear();
             e.spf_mail_from->is_wide = true;
         },
         narrow,
         Reason::unauthenticated},

        {"SPF of HELO says nothing of MAIL FROM",
         [](Evidence& e) {
             nothing_authenticates(e);
             e.spf_helo = tests::spf(SpfResult::pass);
         },
         as_usual,
         Reason::unauthenticated},
        {"a bounce from a confirmed HELO name", unsigned_bounce, as_usual, {}},
        {"the same in other case",
         [](Evidence& e) {
             unsigned_bounce(e);
             e.helo = "MAIL.example.ORG";
         },
         as_usual,
         {}},
        {"the same where it must not count", unsigned_bounce, strict, Reason::unauthenticated},
        {"a bounce from another HELO name",
         [](Evidence& e) {
             unsigned_bounce(e);
             e.helo = "other.example.org";
         },
         as_usual,
         Reason::unauthenticated},
        {"a bounce whose HELO name could not be looked up, beside one that leads back",
         [](Evidence& e) {
             unsigned_bounce(e);
             e.iprev->names.push_back({"mx2.example.org", NameOutcome::not_looked_up, {}});
             e.helo = "mx2.example.org";
         },
         as_usual,
         Reason::authentication_temperror},
        {"a bounce whose HELO name is not the one that could not be looked up",
         [](Evidence& e) {
             unsigned_bounce(e);
             e.iprev->names.push_back({"mx2.example.org", NameOutcome::not_looked_up, {}});
             e.helo = "mx3.example.org";
         },
         as_usual,
         Reason::unauthenticated},
        {"a bounce whose HELO name has an SPF pass",
         [](Evidence& e) {
             unsigned_bounce(e);
             e.spf_helo = tests::spf(SpfResult::pass);
         },
         strict,
         {}},
        {"a confirmed HELO name is nothing to a message with a reverse-path",
         nothing_authenticates,
         as_usual,
         Reason::unauthenticated},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        Evidence evidence = tests::good_evidence();
        c.change(evidence);
        Policy policy = with_mode(Mode::enforce);
        c.ask(policy.stages.front().requirements);
        const auto verdict = decide(evidence, policy);
        REQUIRE(verdict);
        CHECK(verdict->reason == c.reason);
        CHECK((verdict->action == Action::accept) == !c.reason);
    }
}

TEST_CASE("decide: what each mode makes of a finding") {
    struct Row {
        Mode mode;
        Action falls_short;
        Action cannot_tell;
    };

    const std::vector<Row> rows{
        {Mode::off, Action::accept, Action::accept},
        {Mode::observe, Action::accept, Action::accept},
        {Mode::tag, Action::accept, Action::accept},
        {Mode::soft, Action::tempfail, Action::tempfail},
        {Mode::enforce, Action::reject, Action::tempfail},
        {Mode::closed, Action::tempfail, Action::tempfail},
    };
    Evidence bad = tests::good_evidence();
    no_ptr(bad);
    Evidence unclear = tests::good_evidence();
    ptr_temperror(unclear);
    for (const auto& row : rows) {
        CAPTURE(to_string(row.mode));
        CHECK(decide(bad, with_mode(row.mode))->action == row.falls_short);
        CHECK(decide(unclear, with_mode(row.mode))->action == row.cannot_tell);
        CHECK(decide(bad, with_mode(row.mode))->mode == row.mode);
    }
}

TEST_CASE("decide: a verdict foretells the stricter modes") {
    Evidence bad = tests::good_evidence();
    no_ptr(bad);
    const auto verdict = decide(bad, with_mode(Mode::observe));
    CHECK(verdict->action == Action::accept);
    CHECK(verdict->would_soft == Action::tempfail);
    CHECK(verdict->would_enforce == Action::reject);
    CHECK(verdict->stage == "default");
}

TEST_CASE("decide: who is never judged") {
    struct Row {
        const char* client;
        std::optional<Exemption> exemption;
    };

    const std::vector<Row> rows{
        {"192.0.2.1", Exemption::ipv4},
        {"::ffff:192.0.2.1", Exemption::ipv4},
        {"::1", Exemption::local},
        {"127.0.0.1", Exemption::local},
        {"::", Exemption::local},
        {"fe80::1", Exemption::local},
        {"2001:db8:7::1", Exemption::network},
        {"198.51.100.7", Exemption::network},
        {"2001:db8:8::1", std::nullopt},
        {"fd00::1", std::nullopt},
        {"2002:c000:201::1", std::nullopt},
    };
    Policy policy = with_mode(Mode::closed);
    policy.exempt_networks = {*Prefix::parse("2001:db8:7::/48"), *Prefix::parse("198.51.100.0/24")};
    for (const auto& row : rows) {
        CAPTURE(row.client);
        Evidence evidence;
        evidence.client = Address::parse(row.client);
        CHECK(exemption_of(evidence, policy) == row.exemption);
        CHECK(decide(evidence, policy)->exemption == row.exemption);
        CHECK((decide(evidence, policy)->action == Action::accept) == row.exemption.has_value());
    }
    CHECK(exemption_of(Evidence{}, policy) == Exemption::local);
    Evidence authenticated;
    authenticated.client = tests::client;
    authenticated.is_authenticated = true;
    CHECK(exemption_of(authenticated, policy) == Exemption::authenticated);
    CHECK(decide(authenticated, policy)->action == Action::accept);
}

TEST_CASE("decide: mail to exempt recipients alone is judged and not refused") {
    const auto verdict_for = [](std::vector<std::string> recipients, Mode mode) {
        Evidence evidence = tests::good_evidence();
        no_ptr(evidence);
        evidence.recipients = std::move(recipients);
        return decide(evidence, with_mode(mode)).value();
    };
    for (const Mode mode : {Mode::soft, Mode::enforce, Mode::closed}) {
        const auto exempt = verdict_for({"Postmaster@example.net", "abuse@example.com"}, mode);
        CHECK(exempt.action == Action::accept);
        CHECK(exempt.exemption == Exemption::recipients);
        CHECK(exempt.reason == Reason::reverse_name_missing);
        CHECK(verdict_for({"postmaster"}, mode).action == Action::accept);
        CHECK(verdict_for({"postmaster@example.net", "a@example.net"}, mode).action !=
              Action::accept);
        CHECK(verdict_for({"postmaster.x@example.net"}, mode).action != Action::accept);
        CHECK(verdict_for({}, mode).action != Action::accept);
    }
}

TEST_CASE("decide: it waits for evidence, unless none could change the verdict") {
    const auto leave_out = std::vector<std::function<void(Evidence&)>>{
        [](Evidence& e) { e.iprev.reset(); },
        [](Evidence& e) { e.spf_mail_from.reset(); },
        [](Evidence& e) { e.spf_helo.reset(); },
        [](Evidence& e) { e.dkim.reset(); },
    };
    for (const auto& without : leave_out) {
        Evidence evidence = tests::good_evidence();
        without(evidence);
        for (const Mode mode : {Mode::observe, Mode::tag, Mode::soft, Mode::enforce}) {
            CHECK_FALSE(decide(evidence, with_mode(mode)));
        }
        CHECK(decide(evidence, with_mode(Mode::off))->action == Action::accept);
        CHECK(decide(evidence, with_mode(Mode::closed))->reason == Reason::closed);
    }
}

TEST_CASE("decide: the eop profile closes for good") {
    Policy policy = with_mode(Mode::closed);
    policy.stages.front().replies = replies_of(Profile::eop);
    CHECK(decide(tests::good_evidence(), policy)->action == Action::reject);
}

TEST_CASE("in trouble the strictest stage says what to answer") {
    CHECK(action_in_trouble(with_mode(Mode::off)) == Action::accept);
    CHECK(action_in_trouble(with_mode(Mode::observe)) == Action::accept);
    CHECK(action_in_trouble(with_mode(Mode::tag)) == Action::accept);
    CHECK(action_in_trouble(with_mode(Mode::soft)) == Action::tempfail);
    CHECK(action_in_trouble(with_mode(Mode::enforce)) == Action::tempfail);
    CHECK(action_in_trouble(with_mode(Mode::closed)) == Action::tempfail);
}

TEST_CASE("what does not count does not read pass") {
    Evidence evidence = tests::good_evidence();
    evidence.spf_mail_from->is_wide = true;
    Policy policy = with_mode(Mode::enforce);
    CHECK(as_counted(evidence, policy.stages.front()).spf_mail_from->result == SpfResult::pass);
    policy.stages.front().requirements.count_wide_spf = false;
    const Evidence counted = as_counted(evidence, policy.stages.front());
    CHECK(counted.spf_mail_from->result == SpfResult::policy);
    CHECK(decide(counted, policy) == decide(evidence, policy));
    policy.stages.front().requirements.count_wide_spf = true; // a replay under other rules
    CHECK_FALSE(decide(counted, policy)->reason);
}
