#include "milter/verify/spf.hpp"
#include "tests/verify/fake_resolver.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using policy::SpfEvidence;
using policy::SpfResult;
using tests::FakeResolver;
using verify::LookupFailure;
using verify::Lookups;
using verify::RecordType;
using verify::SpfRequest;

namespace {

const auto spf_client = policy::Address::parse("2001:db8::1").value();

SpfRequest from(std::string_view mail_from) {
    return verify::spf_request_for_mail_from(spf_client, "mail.example.net", mail_from, "");
}

SpfEvidence check_spf_of(FakeResolver& dns, const SpfRequest& request = from("joe@example.org")) {
    Lookups lookups{dns};
    return verify::check_spf(lookups, request);
}

SpfEvidence check_spf_of(const std::string& record) {
    FakeResolver dns;
    dns.add_txt("example.org", record);
    return check_spf_of(dns);
}

std::string repeated(int times, const std::string& text) {
    std::string all;
    for (int i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

// Brings its answers when it is told to.
class LateResolver final : public verify::Resolver {
public:
    std::shared_ptr<verify::PendingAnswer> ask(const verify::Question& question) override {
        auto& pending = pending_[question.name];
        pending = std::make_shared<verify::PendingAnswer>();
        return pending;
    }

    void answer(const std::string& name, const std::string& text) {
        verify::Records records;
        records.texts.push_back(text);
        pending_.at(name)->resolve(std::make_shared<const verify::Answer>(records));
    }

    std::size_t questions() const { return pending_.size(); }

private:
    std::map<std::string, std::shared_ptr<verify::PendingAnswer>> pending_;
};

} // namespace

TEST_CASE("spf: the directive that matched is told as published") {
    const auto evidence = check_spf_of("v=spf1 a +IP6:2001:DB8::/32 -all");
    CHECK(evidence.result == SpfResult::pass);
    CHECK(evidence.domain == "example.org");
    CHECK(evidence.mechanism == "+IP6:2001:DB8::/32");
    CHECK(evidence.problem.empty());
    CHECK(check_spf_of("v=spf1 ~all").mechanism == "~all");
    CHECK(check_spf_of("v=spf1") ==
          SpfEvidence{SpfResult::neutral, "example.org", "", "", "", false});
}

TEST_CASE("spf: a record that has ip4 and no ip6 is told from others") {
    const auto lists_only_ipv4 = [](const char* record) {
        FakeResolver dns;
        dns.add_txt("example.org", record);
        dns.add_txt("ip4.example", "v=spf1 ip4:192.0.2.1 -all");
        dns.add_txt("both.example", "v=spf1 ip4:192.0.2.1 ip6:2001:db8:7::7 -all");
        return check_spf_of(dns).lists_only_ipv4;
    };
    for (const auto* const record : {"v=spf1 ip4:192.0.2.1 -all",
                                     "v=spf1 a mx -ip4:192.0.2.0/24 ~all",
                                     "v=spf1 ip4:192.0.2.1",
                                     "v=spf1 ?all ip4:192.0.2.1",
                                     "v=spf1 ip4:192.0.2.1 include:both.example -all",
                                     "v=spf1 redirect=ip4.example",
                                     "v=spf1 ip4:192.0.2.1 redirect=ip4.example"}) {
        CAPTURE(record);
        CHECK(lists_only_ipv4(record));
    }
    for (const auto* const record : {"v=spf1 -all",
                                     "v=spf1 a mx -all",
                                     "v=spf1 ip6:2001:db8:7::7 -all",
                                     "v=spf1 ip4:192.0.2.1 -all ip6:2001:db8:7::7",
                                     "v=spf1 include:ip4.example -all",
                                     "v=spf1 ip4:192.0.2.1 redirect=both.example",
                                     "v=spf1 ip6:2001:db8:7::7 redirect=ip4.example"}) {
        CAPTURE(record);
        CHECK_FALSE(lists_only_ipv4(record));
    }
}

TEST_CASE("spf: what cannot have a record is none") {
    FakeResolver dns;
    dns.add_txt("example.org", "v=spf1 +all");
    dns.add_txt("_x.example.org", "v=spf1 +all");
    for (const auto* const helo : {"",
                                   "localhost",
                                   "[192.0.2.1]",
                                   "[IPv6:2001:db8::1]",
                                   "192.0.2.1",
                                   "2001:db8::1",
                                   "_x.example.org",
                                   "joe@example.org",
                                   "a b.example.org",
                                   "a..example.org",
                                   "\xff.example.org"}) {
        CAPTURE(helo);
        const auto evidence = check_spf_of(dns, verify::spf_request_for_helo(spf_client, helo, ""));
        CHECK(evidence.result == SpfResult::none);
        CHECK_FALSE(evidence.problem.empty());
    }
    CHECK(dns.asked.empty());
    for (const auto* const mail_from : {"", "joe", "joe@", "joe@localhost", "joe@[192.0.2.1]"}) {
        CAPTURE(mail_from);
        CHECK(check_spf_of(dns, from(mail_from)).result == SpfResult::none);
    }
    CHECK(dns.asked.empty());
    CHECK(check_spf_of(dns, from("joe@_x.example.org")).result == SpfResult::pass);
    CHECK(check_spf_of(dns, from("joe@nowhere.example")).problem ==
          "nowhere.example does not exist");
    dns.add_txt("plain.example", "hello");
    CHECK(check_spf_of(dns, from("joe@plain.example")).problem ==
          "plain.example has no SPF record");
}

TEST_CASE("spf: HELO is checked as postmaster at that name") {
    FakeResolver dns;
    dns.add_txt("mail.example.org", "v=spf1 exists:%{l}.%{o}.%{h} -all");
    dns.add_address("postmaster.mail.example.org.mail.example.org", "127.0.0.2");
    const auto evidence =
        check_spf_of(dns, verify::spf_request_for_helo(spf_client, "mail.example.org", ""));
    CHECK(evidence.result == SpfResult::pass);
    CHECK(evidence.domain == "mail.example.org");
}

TEST_CASE("spf: an internationalised domain is asked for as A-labels") {
    FakeResolver dns;
    dns.add_txt("xn--bcher-kva.example", "v=spf1 a:%{l}.%{d} exists:joe.%{d} -all");
    dns.add_address("joe.xn--bcher-kva.example", "127.0.0.2");
    const auto evidence = check_spf_of(dns,
                                       from("j\xc3\xb6@b\xc3\xbc"
                                            "cher.example."));
    CHECK(evidence.result == SpfResult::pass);
    CHECK(evidence.domain == "xn--bcher-kva.example");
    CHECK(dns.asked.size() == 2); // nothing is asked for under a local part that is not ASCII
}

TEST_CASE("spf: problems name the term and the domain") {
    CHECK(check_spf_of("v=spf1 a:192.0.2.1 -all").problem ==
          "\"a:192.0.2.1\" of example.org: an address is written ip4: or ip6:");
    CHECK(check_spf_of("v=spf1 redirect=missing.example").problem ==
          "missing.example does not exist");
    CHECK(check_spf_of("v=spf1 include:%{l} -all").problem == "joe is not a domain name");

    FakeResolver dns;
    dns.add_txt("example.org", "v=spf1 a:slow.example -all");
    dns.stall("slow.example", RecordType::aaaa);
    const auto evidence = check_spf_of(dns);
    CHECK(evidence.result == SpfResult::temperror);
    CHECK(evidence.problem == "\"a:slow.example\" of example.org: AAAA slow.example: timeout");
    dns.add_txt("example.org", "v=spf1");
    CHECK(check_spf_of(dns).problem == "example.org has several SPF records");
    dns.fail("example.org", RecordType::txt, LookupFailure::server_failure);
    CHECK(check_spf_of(dns).problem == "TXT example.org: server failure");
}

TEST_CASE("spf: NUL, CR and LF in a record are errors that can be printed") {
    for (const auto& record : {std::string{"v=spf1 +all\0 -all", 17},
                               std::string{"v=spf1 a:x.example\0.example +all", 32},
                               std::string{"v=spf1 a\rptr +all"},
                               std::string{"v=spf1 +all x=a\r\nSubject:x"}}) {
        const auto evidence = check_spf_of(record);
        CHECK(evidence.result == SpfResult::permerror);
        CHECK(evidence.mechanism.empty());
    }
    CHECK(check_spf_of("v=spf1 a\rptr").problem ==
          "\"a\rptr\" of example.org: there is no such mechanism"); // made printable when shown
    CHECK(check_spf_of(std::string{"v=spf1\0 +all", 12}).result == SpfResult::none);
}

TEST_CASE("spf: long records keep their end") {
    for (const int terms : {25, 26, 27, 200}) {
        CAPTURE(terms);
        const auto others = repeated(terms, " ip6:2001:db8:1111:2222:3333:4444:5555:6666/128");
        CHECK(check_spf_of("v=spf1" + others + " -all").result == SpfResult::fail);
        CHECK(check_spf_of("v=spf1" + others + " ip6:2001:db8::1 -all").mechanism ==
              "ip6:2001:db8::1");
    }
    CHECK(check_spf_of("v=spf1" + repeated(100, " ip4:192.0.2.1") + " ~all").result ==
          SpfResult::softfail);
}

TEST_CASE("spf: the record that smashes libspf2's stack is harmless") {
    for (const int macros : {127, 1250, 5000, 16000}) {
        CAPTURE(macros);
        for (const auto* const mechanism :
             {"exists:", "a:", "include:", "redirect=", "exp=", "x="}) {
            CAPTURE(mechanism);
            const auto term = " " + std::string{mechanism} + repeated(macros, "%{d}");
            CHECK(check_spf_of("v=spf1 ?all" + term).result == SpfResult::neutral);
            check_spf_of("v=spf1" + term + " -all");
        }
        const auto name = repeated(macros, "%{l1r-}.") + std::string(5000, 'x') + ".example.org";
        CHECK(check_spf_of("v=spf1 exists:" + name + " -all").result == SpfResult::fail);
    }
    CHECK(check_spf_of("v=spf1 a:" + std::string(20000, 'x') + ".org -all").result ==
          SpfResult::fail);
    CHECK(check_spf_of("v=spf1 a:" + std::string(20000, 'x') + " -all").problem.size() < 200);
}

TEST_CASE("spf: macros do not make a record grow without bound") {
    const auto helo = std::string(2000, 'h');
    const auto mail_from = std::string(2000, '.') + "@example.org";
    const auto request = verify::spf_request_for_mail_from(spf_client, helo, mail_from, "");
    FakeResolver dns;
    dns.add_txt("example.org", "v=spf1 exp=e.example -all");
    dns.add_txt("e.example", repeated(16000, "%{S}"));
    CHECK(check_spf_of(dns, request).explanation.size() == 1000);

    const auto before = std::chrono::steady_clock::now();
    for (const auto* const macro : {"%{sr./+,=}", "%{l1}", "%{h1-}"}) {
        FakeResolver zone;
        zone.add_txt("example.org", "v=spf1 exists:" + repeated(6000, macro) + ".org -all");
        CHECK(check_spf_of(zone, request).result == SpfResult::fail);
    }
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds{10}); // of minutes
}

TEST_CASE("spf: ten terms may ask DNS, across all includes") {
    FakeResolver dns;
    dns.add_txt("example.org", "v=spf1 include:a.example include:a.example -all");
    dns.add_txt("a.example", "v=spf1 a:h.example a:h.example a:h.example a:h.example");
    dns.add_address("h.example", "2001:db8::7");
    CHECK(check_spf_of(dns).result == SpfResult::fail);
    dns.add_txt("b.example", "v=spf1 include:a.example include:a.example a:h.example -all");
    CHECK(check_spf_of(dns, from("joe@b.example")).problem ==
          "\"a:h.example\" of b.example: more than 10 terms ask DNS");
    dns.add_txt("c.example", "v=spf1 include:a.example include:a.example redirect=d.example");
    dns.add_txt("d.example", "v=spf1 -all");
    CHECK(check_spf_of(dns, from("joe@c.example")).problem ==
          "\"redirect\" of c.example: more than 10 terms ask DNS");
}

TEST_CASE("spf: a tree of includes, five deep and three wide, ends at the tenth") {
    FakeResolver dns;
    std::vector<std::string> names{"example.org"};
    for (std::size_t parent = 0; names.size() < 364; ++parent) {
        for (const auto* const child : {"a.", "b.", "c."}) {
            names.push_back(child + names[parent]);
        }
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        const bool is_leaf = 3 * i + 1 >= names.size();
        dns.add_txt(names[i],
                    is_leaf ? "v=spf1 -all"
                            : "v=spf1 include:a.%{d} include:b.%{d} include:c.%{d}");
    }
    const auto evidence = check_spf_of(dns);
    CHECK(evidence.result == SpfResult::permerror);
    CHECK(evidence.problem.ends_with("more than 10 terms ask DNS"));
    CHECK(dns.asked.size() == 11);
}

TEST_CASE("spf: two terms may find nothing, hosts without AAAA do not count") {
    FakeResolver dns;
    for (const auto* const host : {"h1.example", "h2.example", "h3.example", "h4.example"}) {
        dns.add_address(host, "192.0.2.1");
        dns.add_mx("example.org", 10, host);
    }
    dns.add_txt("example.org", "v=spf1 mx a:h1.example a:h2.example a:h3.example mx -all");
    CHECK(check_spf_of(dns).result == SpfResult::fail);
    dns.add_txt("a.example", "v=spf1 mx mx a:h1.example -all");
    CHECK(check_spf_of(dns, from("joe@a.example")).result == SpfResult::fail);
    dns.add_txt("b.example", "v=spf1 a:no1.example a:no2.example exists:no3.example -all");
    CHECK(check_spf_of(dns, from("joe@b.example")).problem ==
          "\"exists:no3.example\" of b.example: more than 2 terms found nothing in DNS");
    dns.add_txt("c.example", "v=spf1 a:no1.example include:d.example -all");
    dns.add_txt("d.example", "v=spf1 a:no1.example a:no1.example -all");
    CHECK(check_spf_of(dns, from("joe@c.example")).result == SpfResult::permerror);
}

TEST_CASE("spf: the explanation is of the record that failed, and only then asked for") {
    FakeResolver dns;
    dns.add_txt("example.org", "v=spf1 redirect=a.example exp=no.example");
    dns.add_txt("a.example", "v=spf1 -all exp=why.example");
    dns.add_txt("why.example", "%{c} of %{d} at %{r}: %%%_%-");
    CHECK(check_spf_of(dns).explanation == "2001:db8::1 of a.example at unknown: % %20");
    dns.add_txt("soft.example", "v=spf1 ~all exp=why.example");
    dns.asked.clear();
    CHECK(check_spf_of(dns, from("joe@soft.example")).explanation.empty());
    CHECK(dns.asked.size() == 1);
}

TEST_CASE("spf: an explanation that is not one line of ASCII is dropped") {
    FakeResolver dns;
    dns.add_txt("example.org", "v=spf1 -all exp=%{l}.example");
    dns.add_txt("lf.example", "one\r\ntwo");
    dns.add_txt("nul.example", {"one\0two", 7});
    dns.add_txt("utf8.example", "n\xc3\xb6");
    dns.stall("slow.example", RecordType::txt);
    dns.add_txt("helo.example", "you said %{h}");
    for (const auto* const name : {"lf", "nul", "utf8", "slow", "none", "a..b", "helo"}) {
        CAPTURE(name);
        auto request = from(std::string{name} + "@example.org");
        request.helo = "x\r\n";
        const auto evidence = check_spf_of(dns, request);
        CHECK(evidence.result == SpfResult::fail);
        CHECK(evidence.explanation.empty());
    }
}

TEST_CASE("spf: a pass that half the world would have is wide") {
    const auto is_wide = [](const std::string& terms) {
        FakeResolver dns;
        dns.add_address("h.example", "2a00::1");
        dns.add_txt("all.example", "v=spf1 +all");
        dns.add_txt("narrow.example", "v=spf1 ip6:2001:db8::/32");
        dns.add_txt("example.org", "v=spf1 " + terms);
        return check_spf_of(dns).is_wide;
    };
    CHECK(is_wide("all"));
    CHECK(is_wide("+all"));
    CHECK(is_wide("ip6:2000::/3 -all"));
    CHECK(is_wide("ip6:::/0 -all"));
    CHECK(is_wide("ip6:2001::/15 -all"));
    CHECK(is_wide("a:h.example//2 -all"));
    CHECK(is_wide("a:h.example//0 -all"));
    CHECK(is_wide("include:all.example -all"));
    CHECK(is_wide("redirect=all.example"));
    CHECK_FALSE(is_wide("ip6:2001::/16 -all"));
    CHECK_FALSE(is_wide("include:narrow.example +all"));
    CHECK_FALSE(is_wide("?all"));
    CHECK_FALSE(is_wide("-ip6:::/0"));
    CHECK_FALSE(is_wide("?include:all.example"));
}

TEST_CASE("spf: after the deadline every answer is temperror") {
    FakeResolver dns;
    dns.add_txt("example.org", "v=spf1 include:slow.example -all");
    dns.stall("slow.example", RecordType::txt);
    Lookups lookups{dns};
    const auto begin = std::chrono::steady_clock::now();
    lookups.set_deadline(begin + std::chrono::milliseconds{20});
    const auto evidence = verify::check_spf(lookups, from("joe@example.org"));
    CHECK(evidence.result == SpfResult::temperror);
    CHECK(evidence.problem == "TXT slow.example: timeout");
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{5});
}

TEST_CASE("spf: the included records are asked for as soon as the record is in") {
    LateResolver dns;
    verify::start_spf(dns, from("joe@example.org"));
    CHECK(dns.questions() == 1);
    dns.answer("example.org",
               "v=spf1 ?INCLUDE:a.example include:%{l}.example a:b.example redirect=c.example");
    CHECK(dns.questions() == 3);
    dns.answer("a.example", "v=spf1 include:d.example -all");
    CHECK(dns.questions() == 4);
    dns.answer("c.example",
               "v=spf1 include:broken include:192.0.2.1 include:\x01.example include:%%.example");
    dns.answer("d.example", "not SPF");
    CHECK(dns.questions() == 4);
}

TEST_CASE("spf: a long record is not followed before the check, and by the check") {
    const auto record_of = [](std::size_t size) {
        std::string record = "v=spf1 include:a.example x=";
        return record.append(size - record.size(), 'x');
    };
    const auto asked_ahead = [](const std::string& record) {
        FakeResolver dns;
        dns.add_txt("example.org", record);
        verify::start_spf(dns, from("joe@example.org"));
        return dns.asked.size();
    };
    CHECK(asked_ahead(record_of(4096)) == 2);
    CHECK(asked_ahead(record_of(4097)) == 1);

    FakeResolver dns;
    dns.add_txt("example.org", record_of(4097));
    dns.add_txt("a.example", "v=spf1 +all");
    Lookups lookups{dns};
    CHECK(verify::check_spf(lookups, from("joe@example.org")).result == SpfResult::pass);
}

TEST_CASE("spf: what is asked for ahead is bounded") {
    FakeResolver dns;
    std::string record = "v=spf1";
    for (int i = 0; i < 50; ++i) {
        record += " include:h" + std::to_string(i) + ".example";
    }
    dns.add_txt("example.org", record);
    verify::start_spf(dns, from("joe@example.org"));
    CHECK(dns.asked.size() == 10);

    FakeResolver loop;
    loop.add_txt("example.org", "v=spf1 include:example.org");
    verify::start_spf(loop, from("joe@example.org"));
    CHECK(loop.asked.size() == 5);

    FakeResolver nothing;
    verify::start_spf(nothing, from("joe@[192.0.2.1]"));
    verify::start_spf(nothing, verify::spf_request_for_helo(spf_client, "localhost", ""));
    CHECK(nothing.asked.empty());
}
