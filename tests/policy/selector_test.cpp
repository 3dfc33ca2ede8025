// Which mail each selector takes, and when it can tell.
#include "policy/decide.hpp"
#include "policy/selector.hpp"
#include "tests/policy/evidence_makers.hpp"
#include "tests/policy/stage_makers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

namespace {

using namespace std::chrono_literals;

const auto noon = Time{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 12h};

using Change = std::function<void(Evidence&)>;
using Select = std::function<void(Selector&)>;

struct SelectorRow {
    std::string name;
    Select select;
    Change change;
    Match match;
};

void unchanged(Evidence&) {}

Select by_networks(const std::string& prefix) {
    return [=](Selector& selector) { selector.networks = tests::prefixes({prefix}); };
}

Select reverse_names(const std::string& domain) {
    return [=](Selector& selector) { selector.reverse_names = tests::domains({domain}); };
}

Select authenticated(const std::string& domain) {
    return [=](Selector& selector) { selector.authenticated = tests::domains({domain}); };
}

Select by_recipients(const std::string& pattern) {
    return [=](Selector& selector) { selector.recipients = tests::recipients({pattern}); };
}

Select listeners(const std::string& pattern) {
    return [=](Selector& selector) { selector.listeners = {*ListenerPattern::parse(pattern)}; };
}

Select percent(double share) {
    return [=](Selector& selector) { selector.percent = share; };
}

Select from(Time time) {
    return [=](Selector& selector) { selector.from = time; };
}

Select until(Time time) {
    return [=](Selector& selector) { selector.until = time; };
}

Change reverse_name_is(NameOutcome outcome, IprevResult result) {
    return [=](Evidence& evidence) {
        evidence.iprev->result = result;
        evidence.iprev->names.front().outcome = outcome;
    };
}

Change authentication_is(SpfResult spf, DkimResult dkim) {
    return [=](Evidence& evidence) {
        evidence.spf_mail_from->result = spf;
        evidence.dkim->front().result = dkim;
    };
}

void no_reverse_name_known(Evidence& evidence) {
    evidence.iprev = {IprevResult::temperror, {}};
}

void before_dns(Evidence& evidence) {
    evidence.phase = Phase::rcpt;
    evidence.iprev.reset();
    evidence.spf_mail_from.reset();
    evidence.spf_helo.reset();
    evidence.dkim.reset();
}

Change to(const std::string& recipient) {
    return [=](Evidence& evidence) { evidence.recipients = {recipient}; };
}

const std::vector<SelectorRow> selector_rows{
    {"nothing selects all", [](Selector&) {}, before_dns, Match::yes},

    {"a network that holds the client", by_networks("2001:db8:5::/48"), unchanged, Match::yes},
    {"the address alone", by_networks("2001:db8:5::5"), before_dns, Match::yes},
    {"its neighbour", by_networks("2001:db8:5::6"), unchanged, Match::no},
    {"another network", by_networks("2001:db8:6::/48"), before_dns, Match::no},

    {"a confirmed name", reverse_names("mail.example.org"), unchanged, Match::yes},
    {"a name below a domain", reverse_names(".example.org"), unchanged, Match::yes},
    {"no domain is below itself", reverse_names(".mail.example.org"), unchanged, Match::no},
    {"nor above its names", reverse_names("example.org"), unchanged, Match::no},
    {"a name that leads elsewhere",
     reverse_names("mail.example.org"),
     reverse_name_is(NameOutcome::elsewhere, IprevResult::fail),
     Match::no},
    {"a name that was not looked up",
     reverse_names("mail.example.org"),
     reverse_name_is(NameOutcome::not_looked_up, IprevResult::temperror),
     Match::unknown},
    {"another name that was not looked up",
     reverse_names("mail.example.com"),
     reverse_name_is(NameOutcome::not_looked_up, IprevResult::temperror),
     Match::no},
    {"names that are not known",
     reverse_names("mail.example.org"),
     no_reverse_name_known,
     Match::unknown},
    {"names that are not in yet", reverse_names("x.example"), before_dns, Match::unknown},

    {"SPF", authenticated("example.org"), unchanged, Match::yes},
    {"DKIM alone",
     authenticated("EXAMPLE.org"),
     authentication_is(SpfResult::fail, DkimResult::pass),
     Match::yes},
    {"neither",
     authenticated("example.org"),
     authentication_is(SpfResult::softfail, DkimResult::fail),
     Match::no},
    {"another domain", authenticated("example.net"), unchanged, Match::no},
    {"SPF that was not looked up",
     authenticated("example.org"),
     authentication_is(SpfResult::temperror, DkimResult::fail),
     Match::unknown},
    {"a key that was not looked up",
     authenticated("example.org"),
     authentication_is(SpfResult::fail, DkimResult::temperror),
     Match::unknown},
    {"what is not in yet", authenticated("example.org"), before_dns, Match::unknown},
    {"the HELO name's SPF is not MAIL FROM's",
     authenticated("mail.example.org"),
     [](Evidence& evidence) {
         evidence.mail_from.clear();
         evidence.mail_from_domain.clear();
         evidence.spf_mail_from.reset();
         evidence.spf_helo->result = SpfResult::pass;
     },
     Match::no},

    {"a recipient", by_recipients("someone@example.net"), unchanged, Match::yes},
    {"a recipient's domain", by_recipients("*@EXAMPLE.net"), unchanged, Match::yes},
    {"another recipient", by_recipients("else@example.net"), unchanged, Match::no},
    {"a subdomain", by_recipients("*@example.net"), to("a@b.example.net"), Match::no},
    {"a recipient with two readings",
     by_recipients("*@example.com"),
     to("postmaster@z<alice"),
     Match::unknown},
    {"a recipient that may be sent on",
     by_recipients("*@example.com"),
     to("a%example.com@example.net"),
     Match::unknown},

    {"a listener's port", listeners(":25"), unchanged, Match::yes},
    {"another port", listeners(":26"), unchanged, Match::no},
    {"a listener's address", listeners("2001:db8::25"), unchanged, Match::yes},
    {"its address and port", listeners("[2001:db8::25]:25"), unchanged, Match::yes},
    {"its address and another port", listeners("[2001:db8::25]:26"), unchanged, Match::no},
    {"another address", listeners("2001:db8::26"), unchanged, Match::no},
    {"a listener's name", listeners("MX6"), unchanged, Match::yes},
    {"another name", listeners("mx"), unchanged, Match::no},
    {"as Sendmail writes it",
     listeners("2001:db8::25"),
     [](Evidence& evidence) { evidence.listener.address = "IPv6:2001:db8:0:0:0:0:0:25"; },
     Match::yes},
    {"an MTA that does not say", listeners(":25"), [](Evidence& e) { e.listener = {}; }, {}},

    {"a sender below the share", percent(50), unchanged, Match::yes},
    {"a sender at the share", percent(25), unchanged, Match::no},
    {"nobody", percent(0), [](Evidence& e) { e.percentile = 0.0; }, Match::no},
    {"everybody", percent(100), [](Evidence& e) { e.percentile = 99.999'999; }, Match::yes},
    {"before MAIL", percent(50), [](Evidence& e) { e.percentile.reset(); }, Match::unknown},

    {"from now on", from(noon), unchanged, Match::yes},
    {"from later on", from(noon + 1ms), unchanged, Match::no},
    {"until later", until(noon + 1ms), unchanged, Match::yes},
    {"until now", until(noon), unchanged, Match::no},
    {"at no known time", until(noon), [](Evidence& e) { e.time.reset(); }, Match::unknown},
};

Evidence evidence_of(const SelectorRow& row) {
    Evidence evidence = tests::good_evidence();
    evidence.time = noon;
    evidence.percentile = 25.0;
    evidence.listener = {"mx6", "2001:db8::25", "25"};
    row.change(evidence);
    return evidence;
}

Selector selector_of(const SelectorRow& row) {
    Selector selector;
    row.select(selector);
    return selector;
}

} // namespace

TEST_CASE("selectors: what each takes, and when it cannot tell") {
    for (const auto& row : selector_rows) {
        CAPTURE(row.name);
        const Evidence evidence = evidence_of(row);
        CHECK(match(selector_of(row), evidence, evidence.recipients.front()) == row.match);
    }
}

TEST_CASE("selectors: the stage applies, or the one after it") {
    for (const auto& row : selector_rows) {
        CAPTURE(row.name);
        const Evidence evidence = evidence_of(row);
        const Policy policy = tests::policy_of({tests::stage("first", Mode::off, selector_of(row)),
                                                tests::stage("last", Mode::observe)});
        const auto verdict = decide(evidence, policy);
        if (evidence.phase == Phase::end_of_message) {
            REQUIRE(verdict);
            CHECK(verdict->stage == (row.match == Match::yes ? "first" : "last"));
        } else {
            CHECK(verdict.has_value() == (row.match == Match::yes));
        }
    }
}

TEST_CASE("selectors: all that are given must match") {
    const Evidence evidence = evidence_of({"", {}, unchanged, Match::yes});
    Selector both;
    by_networks("2001:db8:5::/48")(both);
    percent(50)(both);
    CHECK(match(both, evidence, "a@example.net") == Match::yes);
    percent(10)(both);
    CHECK(match(both, evidence, "a@example.net") == Match::no);
    Evidence early = evidence;
    early.iprev.reset();
    reverse_names(".example.org")(both);
    CHECK(match(both, early, "a@example.net") == Match::no); // whatever the name will be
    percent(50)(both);
    CHECK(match(both, early, "a@example.net") == Match::unknown);
    const auto parts = matches_of(both, early, "a@example.net");
    REQUIRE(parts.size() == 3);
    CHECK(to_string(parts.back().part) == "reverse_names");
    CHECK(parts.back().match == Match::unknown);
}

TEST_CASE("a listener that is none is no pattern") {
    for (const char* const text : {"",
                                   ":",
                                   ":x",
                                   "[2001:db8::25",
                                   "[2001:db8::25]25",
                                   "a b",
                                   ":123456",
                                   "[mx6]:25",
                                   "mx6:25"}) {
        CAPTURE(text);
        CHECK_FALSE(ListenerPattern::parse(text));
    }
}

TEST_CASE("prefix sets: as one prefix after the other would say") {
    const std::vector<std::string> texts{
        "2001:db8::/32", "2001:db8:5::/48", "2001:db9::1", "2001:db9::3", "fd00::/8", "::/128"};
    const PrefixSet set = tests::prefixes(texts);
    CHECK(set.size() == 5);
    for (const char* const text : {"::",
                                   "::1",
                                   "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
                                   "2001:db8::",
                                   "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                                   "2001:db9::",
                                   "2001:db9::1",
                                   "2001:db9::2",
                                   "2001:db9::3",
                                   "2001:db9::4",
                                   "fcff::",
                                   "fd00::",
                                   "fdff::1",
                                   "fe00::"}) {
        CAPTURE(text);
        const Address address = Address::parse(text).value();
        const bool is_in_one = std::ranges::any_of(texts, [&](const std::string& prefix) {
            return Prefix::parse(prefix)->contains(address);
        });
        CHECK(set.contains(address) == is_in_one);
    }
    CHECK_FALSE(PrefixSet{}.contains(tests::client));
}

TEST_CASE("domain sets: a name, or all below it") {
    const DomainSet set = tests::domains({"example.org", ".example.net", "A.Example.com."});
    for (const char* const in :
         {"example.org", "EXAMPLE.ORG.", "a.example.net", "b.a.example.net", "a.example.com"}) {
        CAPTURE(in);
        CHECK(set.contains(in));
    }
    for (const char* const out : {"",
                                  ".",
                                  "a.example.org",
                                  "example.net",
                                  "xexample.net",
                                  ".example.net",
                                  "example.com",
                                  "org",
                                  "net"}) {
        CAPTURE(out);
        CHECK_FALSE(set.contains(out));
    }
}

TEST_CASE("a name that is too long for DNS is in no set, however it ends") {
    const auto set = tests::domains({".example.org"});
    std::string name = "example.org";
    while (name.size() + 2 <= 253) {
        name.insert(0, "a.");
    }
    CHECK(set.contains(name));
    CHECK(set.contains(name + "."));
    CHECK_FALSE(set.contains("aa." + name));
}
