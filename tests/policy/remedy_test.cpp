// What each fault is mended by stands in fault_test.cpp; here, what must not be asked of anybody.
#include "policy/remedy.hpp"
#include "tests/policy/report_makers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using policy::Reason;
using policy::SpfResult;

namespace {

namespace of_remedies {

using Lines = std::vector<std::string>;

const policy::Address host = policy::Address::parse("2001:db8:5::5").value();

policy::Evidence nameless(SpfResult spf, const char* helo = "mail.example.org") {
    policy::Evidence evidence = tests::without_ptr("example.org", "2001:db8:5::5");
    evidence.helo = helo;
    evidence.spf_mail_from = tests::spf(spf);
    evidence.dkim->clear();
    return evidence;
}

Lines remedy(const policy::Evidence& evidence,
             Reason reason,
             const policy::Requirements& requirements = {}) {
    return policy::remedy_for_sender(evidence, reason, requirements, std::vector{host});
}

bool names_host(const std::string& line) {
    return line.find(host.to_string()) != std::string::npos;
}

bool has(const Lines& lines, std::string_view part) {
    return std::ranges::any_of(
        lines, [&](const auto& line) { return line.find(part) != std::string::npos; });
}

} // namespace of_remedies

} // namespace

TEST_CASE("remedy: a host that may be anybody's is authorised on a condition alone") {
    using of_remedies::nameless;
    using of_remedies::remedy;
    for (const SpfResult spf : {SpfResult::none,
                                SpfResult::neutral,
                                SpfResult::fail,
                                SpfResult::softfail,
                                SpfResult::permerror}) {
        CAPTURE(to_string(spf));
        const auto evidence = nameless(spf);
        CHECK_FALSE(policy::is_host_of_sender(evidence));
        const auto terms = remedy(evidence, Reason::unauthenticated);
        REQUIRE(terms.size() == 1);
        CHECK(terms[0].starts_with("If it is a host of example.org: "));
        const auto records = remedy(evidence, Reason::reverse_name_missing);
        REQUIRE(records.size() == 3);
        CHECK(records[0] == "If it is a host of example.org:");
        CHECK(records[2] == "mail.example.org. AAAA 2001:db8:5::5");
    }
    const auto listed = nameless(SpfResult::pass);
    CHECK(policy::is_host_of_sender(listed));
    CHECK(remedy(listed, Reason::reverse_name_missing).size() == 2);

    auto wide = listed;
    wide.spf_mail_from->is_wide = true; // "+all" knows nobody
    CHECK_FALSE(policy::is_host_of_sender(wide));

    auto of_a_hoster = nameless(SpfResult::none);
    of_a_hoster.iprev = {
        policy::IprevResult::pass,
        {{"a.hoster.example", policy::NameOutcome::leads_back, {of_remedies::host}}}};
    CHECK_FALSE(policy::is_host_of_sender(of_a_hoster));
    of_a_hoster.iprev->names[0].name = "mx.news.example.org";
    CHECK(policy::is_host_of_sender(of_a_hoster));
}

TEST_CASE("remedy: no record shuts out the hosts that nobody has asked about") {
    for (const SpfResult spf : {SpfResult::none, SpfResult::permerror, SpfResult::policy}) {
        const auto lines = of_remedies::remedy(of_remedies::nameless(spf), Reason::unauthenticated);
        CHECK(of_remedies::has(lines, "all its mail hosts, those on IPv4 too, with ip6:"));
        CHECK_FALSE(of_remedies::has(lines, "-all"));
        CHECK_FALSE(of_remedies::has(lines, "v=spf1"));
    }
    const auto has_one =
        of_remedies::remedy(of_remedies::nameless(SpfResult::softfail), Reason::unauthenticated);
    CHECK(of_remedies::has(has_one, " added to the SPF record of example.org"));
}

TEST_CASE("remedy: who has to have both is asked for both") {
    policy::Requirements both;
    both.authentication = policy::Authentication::spf_and_dkim;
    const auto evidence = of_remedies::nameless(SpfResult::none);
    const auto either = of_remedies::remedy(evidence, Reason::unauthenticated);
    CHECK(of_remedies::has(either, ", or DKIM signatures."));
    const auto asked = of_remedies::remedy(evidence, Reason::unauthenticated, both);
    CHECK(of_remedies::has(asked, "; and DKIM signatures."));
    CHECK_FALSE(of_remedies::has(asked, ", or "));
}

TEST_CASE("remedy: a HELO name is asked of a bounce only where it helps") {
    policy::Requirements strict;
    strict.null_reverse_path = policy::NullReversePath::strict;
    policy::Requirements both;
    both.authentication = policy::Authentication::spf_and_dkim;
    auto bounce = of_remedies::nameless(SpfResult::none);
    bounce.mail_from.clear();
    bounce.mail_from_domain.clear();
    bounce.spf_helo = bounce.spf_mail_from;
    bounce.spf_mail_from.reset();
    const auto lines = [&](const policy::Requirements& requirements) {
        return of_remedies::remedy(bounce, Reason::unauthenticated, requirements);
    };
    CHECK(
        of_remedies::has(lines({}), ", or DKIM signatures, or a HELO name that leads back to it."));
    CHECK(of_remedies::has(lines(both),
                           ", or a HELO name that leads back to it; and DKIM signatures."));
    CHECK_FALSE(of_remedies::has(lines(strict), "leads back"));
    bounce.helo = "mail.local";
    bounce.spf_helo.reset();
    CHECK(of_remedies::has(lines({}), "A HELO name that leads back to "));
    CHECK(of_remedies::has(lines(strict), "A HELO name of DNS, whose SPF record has ip6:"));
}

TEST_CASE("remedy: a name that is no host's in DNS is not proposed") {
    for (const char* const helo : {"localhost.localdomain",
                                   "mail.local",
                                   "mx.corp.lan",
                                   "nas.home.arpa",
                                   "MAIL.LOCAL",
                                   "mail.internal.",
                                   "localhost",
                                   "[IPv6:2001:db8:5::5]",
                                   "192.0.2.1",
                                   "example.org", // where its web site may be
                                   "example.net", // likewise
                                   "Example.ORG."}) {
        CAPTURE(helo);
        const auto evidence = of_remedies::nameless(SpfResult::pass, helo);
        const auto lines = of_remedies::remedy(evidence, Reason::reverse_name_missing);
        CHECK(lines.back() == "NAME is a name of the host's own.");
        CHECK(of_remedies::has(lines, " PTR NAME."));

        auto part = evidence;
        part.mail_from_domain = "news.bounce.example.org";
        part.helo = "bounce.example.org";
        CHECK(of_remedies::has(of_remedies::remedy(part, Reason::reverse_name_missing),
                               " PTR NAME."));

        auto named = evidence;
        named.iprev = {policy::IprevResult::fail, {{helo, policy::NameOutcome::no_address, {}}}};
        CHECK(of_remedies::remedy(named, Reason::reverse_name_mismatch) ==
              of_remedies::Lines{"A PTR record that names a host with this address."});
    }
    CHECK(of_remedies::remedy(of_remedies::nameless(SpfResult::pass, "mail.example.org."),
                              Reason::reverse_name_missing)
              .back() == "mail.example.org. AAAA 2001:db8:5::5");
}

TEST_CASE("remedy: no record is asked for where nobody would find it") {
    policy::Evidence bounce = tests::good_evidence();
    bounce.mail_from.clear();
    bounce.mail_from_domain.clear();
    bounce.spf_mail_from.reset();
    bounce.helo = "localhost.localdomain";
    bounce.spf_helo = tests::spf(SpfResult::none);
    bounce.spf_helo->domain = bounce.helo;
    bounce.dkim->clear();
    CHECK(of_remedies::remedy(bounce, Reason::unauthenticated) ==
          of_remedies::Lines{"A HELO name that leads back to 2001:db8:5::5, or DKIM signatures."});
    auto internal = of_remedies::nameless(SpfResult::none);
    internal.mail_from_domain = internal.spf_mail_from->domain = "office.local";
    CHECK(of_remedies::remedy(internal, Reason::unauthenticated) ==
          of_remedies::Lines{"MAIL FROM in a domain of DNS, whose SPF record has "
                             "ip6:2001:db8:5::5, or DKIM signatures."});
}

TEST_CASE("remedy: the author's domain need not name the host of a forwarder") {
    auto evidence = of_remedies::nameless(SpfResult::fail, "mail.forwarder.example");
    evidence.is_forwarded = true;
    const auto lines = of_remedies::remedy(evidence, Reason::reverse_name_missing);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0] == "At the forwarder:");
    CHECK(std::ranges::count_if(lines, of_remedies::names_host) == 1);
}
