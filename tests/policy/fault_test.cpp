#include "policy/fault.hpp"
#include "policy/remedy.hpp"
#include "tests/policy/report_makers.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using policy::DkimResult;
using policy::Reason;
using policy::SenderKind;
using policy::SpfResult;

namespace {

constexpr auto fault_address = "2001:db8:5::5";
const std::vector<policy::Address> clients{policy::Address::parse(fault_address).value()};

policy::Evidence with_names(policy::NameOutcome outcome) {
    policy::Evidence evidence = tests::good_evidence();
    evidence.iprev = tests::iprev_fail();
    evidence.iprev->names.front().outcome = outcome;
    return evidence;
}

policy::Evidence with_results(SpfResult spf, const std::vector<policy::DkimSignature>& dkim) {
    policy::Evidence evidence = tests::good_evidence();
    evidence.spf_mail_from = tests::spf(spf);
    evidence.dkim = dkim;
    return evidence;
}

policy::Evidence of_another_domain(SpfResult spf) {
    policy::Evidence evidence = with_results(spf, {});
    evidence.mail_from = "user@bank.example";
    evidence.mail_from_domain = "bank.example";
    evidence.spf_mail_from->domain = "bank.example";
    return evidence;
}

policy::Evidence with_helo(std::string helo) {
    policy::Evidence evidence = tests::without_ptr("example.org", fault_address);
    evidence.helo = std::move(helo);
    return evidence;
}

policy::Evidence bounce() {
    policy::Evidence evidence = with_results(SpfResult::none, {});
    evidence.mail_from.clear();
    evidence.mail_from_domain.clear();
    evidence.spf_mail_from.reset();
    evidence.spf_helo->problem = "mail.example.org has no SPF record";
    return evidence;
}

using Lines = std::vector<std::string>;

const std::string ptr = "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.5.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.";

} // namespace

TEST_CASE("fault: what was found, and what mends it") {
    struct Case {
        const char* name;
        policy::Evidence evidence;
        Reason reason;
        SenderKind kind;
        const char* in_short;
        const char* found;
        Lines remedy;
    };

    const auto failed = tests::signature(DkimResult::fail);
    const std::string exempt = "[exempt] networks = [\"2001:db8:5::5\"]";
    const auto unaligned = [](const char* from_domain) {
        policy::Evidence evidence = with_results(SpfResult::pass, {});
        evidence.from_domain = from_domain;
        return evidence;
    };
    const std::vector<Case> cases{
        {"not the author's",
         unaligned("bank.example"),
         Reason::unaligned,
         SenderKind::direct,
         "From not aligned",
         "From bank.example; SPF pass for example.org; no DKIM signature",
         {"DKIM signatures of bank.example, or MAIL FROM in that domain."}},
        {"nobody's",
         unaligned(""),
         Reason::unaligned,
         SenderKind::direct,
         "From not aligned",
         "no one domain in From; SPF pass for example.org; no DKIM signature",
         {"DKIM signatures of the one domain of From, or MAIL FROM in that domain."}},
        {"not the author's, and a list's",
         unaligned("bank.example"),
         Reason::unaligned,
         SenderKind::mailing_list,
         "From not aligned",
         "From bank.example; SPF pass for example.org; no DKIM signature",
         {"At mail.example.org: From rewritten to a domain of its own.",
          "Or, where it is a list or a forwarder of your users: " + exempt}},
        {"no PTR",
         with_helo("mail.example.org"),
         Reason::reverse_name_missing,
         SenderKind::direct,
         "no PTR record",
         "no PTR record",
         {ptr + " PTR mail.example.org.", "mail.example.org. AAAA 2001:db8:5::5"}},
        {"no PTR, and no name to give it",
         with_helo("[IPv6:2001:db8:5::5]"),
         Reason::reverse_name_missing,
         SenderKind::direct,
         "no PTR record",
         "no PTR record",
         {ptr + " PTR NAME.", "NAME. AAAA 2001:db8:5::5", "NAME is a name of the host's own."}},
        {"PTR leads elsewhere",
         with_names(policy::NameOutcome::elsewhere),
         Reason::reverse_name_mismatch,
         SenderKind::direct,
         "PTR leads elsewhere",
         "PTR mail.example.org leads to 2001:db8::7",
         {"mail.example.org. AAAA 2001:db8:5::5",
          "Or a PTR record that names a host with this address."}},
        {"PTR leads nowhere",
         with_names(policy::NameOutcome::no_address),
         Reason::reverse_name_mismatch,
         SenderKind::direct,
         "PTR name lacks AAAA",
         "PTR mail.example.org has no AAAA record",
         {"mail.example.org. AAAA 2001:db8:5::5",
          "Or a PTR record that names a host with this address."}},
        {"name servers away",
         with_names(policy::NameOutcome::not_looked_up),
         Reason::reverse_name_temperror,
         SenderKind::own_range,
         "PTR not looked up",
         "PTR mail.example.org cannot be looked up",
         {"If it lasts: look after the name servers of mail.example.org."}},
        {"SPF does not list it, no DKIM",
         with_results(SpfResult::softfail, {}),
         Reason::unauthenticated,
         SenderKind::direct,
         "SPF softfail, no DKIM",
         "SPF softfail for example.org; no DKIM signature",
         {"ip6:2001:db8:5::5 added to the SPF record of example.org, or DKIM signatures."}},
        {"SPF of a domain that the host has no name in: theirs, or a forger's",
         of_another_domain(SpfResult::fail),
         Reason::unauthenticated,
         SenderKind::direct,
         "SPF fail, no DKIM",
         "SPF fail for bank.example; no DKIM signature",
         {"If it is a host of bank.example: ip6:2001:db8:5::5 added to the SPF record of "
          "bank.example, or DKIM signatures.",
          "Or it is forged, and nothing need be done."}},
        {"the same, and its record forbids nothing",
         of_another_domain(SpfResult::neutral),
         Reason::unauthenticated,
         SenderKind::direct,
         "SPF neutral, no DKIM",
         "SPF neutral for bank.example; no DKIM signature",
         {"If it is a host of bank.example: ip6:2001:db8:5::5 added to the SPF record of "
          "bank.example, or DKIM signatures.",
          "Or it is forged, and nothing need be done."}},
        {"no SPF, DKIM fails",
         with_results(SpfResult::none, {failed}),
         Reason::unauthenticated,
         SenderKind::mailing_list,
         "no SPF, DKIM fail",
         "SPF none for example.org; DKIM fail for example.org",
         {"An SPF record at example.org that lists all its mail hosts, those on IPv4 too, with "
          "ip6:2001:db8:5::5, or DKIM signatures that pass."}},
        {"both are required, SPF passes",
         with_results(SpfResult::pass, {}),
         Reason::unauthenticated,
         SenderKind::direct,
         "SPF pass, no DKIM",
         "SPF pass for example.org; no DKIM signature",
         {"DKIM signatures that pass."}},
        {"forwarded: the author's domain has nothing to mend",
         with_results(SpfResult::fail, {}),
         Reason::unauthenticated,
         SenderKind::forwarded,
         "SPF fail, no DKIM",
         "SPF fail for example.org; no DKIM signature",
         {"At the forwarder, mail.example.org: MAIL FROM rewritten to a domain of its own (SRS) "
          "whose SPF record has "
          "ip6:2001:db8:5::5, or DKIM signatures of its own.",
          "Or, where it forwards for your own users: [exempt] networks = [\"2001:db8:5::5\"]"}},
        {"our own",
         with_results(SpfResult::fail, {}),
         Reason::unauthenticated,
         SenderKind::own_range,
         "SPF fail, no DKIM",
         "SPF fail for example.org; no DKIM signature",
         {"If these hosts are yours: [exempt] networks = [\"2001:db8:5::5\"]"}},
        {"a bounce: HELO speaks",
         bounce(),
         Reason::unauthenticated,
         SenderKind::null_path,
         "no SPF, no DKIM",
         "SPF none: mail.example.org has no SPF record; no DKIM signature",
         {"An SPF record at mail.example.org that lists all its mail hosts, those on IPv4 too, "
          "with ip6:2001:db8:5::5, or DKIM signatures, or a HELO name that leads back to it."}},
        {"closed",
         tests::good_evidence(),
         Reason::closed,
         SenderKind::direct,
         "closed",
         "closed to this client",
         {"Nothing to mend: IPv4 is open to it."}},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            CHECK(policy::fault_in_short(c.evidence, c.reason) == c.in_short);
            CHECK(policy::fault_found(c.evidence, c.reason) == c.found);
            CHECK(policy::remedy_for(c.evidence, c.reason, c.kind, clients) == c.remedy);
        }
    }
}

TEST_CASE("fault: what strangers supplied is printable") {
    policy::Evidence evidence = with_names(policy::NameOutcome::no_address);
    evidence.iprev->names.front().name = "mail\n\x1b[31m.example.org";
    CHECK(policy::fault_found(evidence, Reason::reverse_name_mismatch) ==
          "PTR mail\\x0a\\x1b[31m.example.org has no AAAA record");
}

TEST_CASE("fault: other addresses with the same fault are told") {
    const std::vector<policy::Address> three{clients.front(),
                                             policy::Address::parse("2001:db8:5::6").value(),
                                             policy::Address::parse("2001:db8:5::7").value()};
    const auto evidence = with_results(SpfResult::fail, {});
    CHECK(policy::remedy_for(evidence, Reason::unauthenticated, SenderKind::direct, three) ==
          Lines{"ip6:2001:db8:5::5 ip6:2001:db8:5::6 ip6:2001:db8:5::7 added to the SPF record of "
                "example.org, or DKIM signatures."});
    CHECK(
        policy::remedy_for(
            with_helo("mail.example.org"), Reason::reverse_name_missing, SenderKind::direct, three)
            .back() ==
        "Likewise for 2001:db8:5::6 and 2001:db8:5::7, each with a name of its own.");
}
