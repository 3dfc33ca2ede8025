#include "milter/verify/spf_record.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

using policy::Prefix;
using policy::SpfResult;
using verify::parse_spf_record;
using verify::SpfDirective;
using verify::SpfMechanism;

namespace {

// Of a text without macros.
std::string literal_text(const verify::SpfMacroString& text) {
    std::string literal;
    for (const auto& part : text.parts) {
        literal += std::get<std::string>(part);
    }
    return literal;
}

SpfDirective directive(std::string_view term) {
    const auto record = parse_spf_record("v=spf1 " + std::string{term});
    REQUIRE(record);
    REQUIRE(record->directives.size() == 1);
    return record->directives.front();
}

std::string refused_term(const std::string& terms) {
    const auto record = parse_spf_record("v=spf1 " + terms);
    return record ? "" : record.error().term;
}

std::string_view reason(std::string_view term) {
    const auto record = parse_spf_record("v=spf1 " + std::string{term});
    return record ? "" : record.error().reason;
}

} // namespace

TEST_CASE("spf record: chosen by its version among the TXT records") {
    using verify::spf_records_among;
    CHECK(spf_records_among({"v=spf1"}).size() == 1);
    CHECK(spf_records_among({"google-site-verification=x", "V=SPF1 -all", ""}) ==
          std::vector<std::string>{"V=SPF1 -all"});
    CHECK(spf_records_among({"v=spf1 -all", "v=spf1 -all"}).size() == 2);
    for (const auto* const text :
         {"", "v=spf", "v=spf10", "v=spf1-all", "v=spf1\t-all", " v=spf1"}) {
        CAPTURE(text);
        CHECK(spf_records_among({text}).empty());
    }
}

TEST_CASE("spf record: directives become values") {
    const auto record = parse_spf_record("v=spf1  a -MX:example.org/24//64 ~ptr:example.org "
                                         "?exists:%{i}.example.org include:example.net -all ");
    REQUIRE(record);
    const auto& terms = record->directives;
    REQUIRE(terms.size() == 6);
    CHECK(terms[0] == SpfDirective{SpfResult::pass, SpfMechanism::a, "a", {}, {}, 32, 128});
    CHECK(terms[1].mechanism == SpfMechanism::mx);
    CHECK(terms[1].qualifier == SpfResult::fail);
    CHECK(terms[1].text == "-MX:example.org/24//64");
    CHECK(literal_text(terms[1].target.value()) == "example.org");
    CHECK(terms[1].ip4_length == 24);
    CHECK(terms[1].ip6_length == 64);
    CHECK(terms[2].qualifier == SpfResult::softfail);
    CHECK(terms[2].mechanism == SpfMechanism::ptr);
    CHECK(terms[3].qualifier == SpfResult::neutral);
    CHECK(terms[3].mechanism == SpfMechanism::exists);
    CHECK(terms[4].mechanism == SpfMechanism::include);
    CHECK(terms[5].mechanism == SpfMechanism::all);
    CHECK_FALSE(record->redirect);
    CHECK_FALSE(record->explanation);
}

TEST_CASE("spf record: networks keep the family in which they are written") {
    CHECK(directive("ip4:192.0.2.1").network == *Prefix::parse("192.0.2.1"));
    CHECK(directive("ip4:192.0.2.0/24").network == *Prefix::parse("192.0.2.0/24"));
    CHECK(directive("IP4:0.0.0.0/0").network.length == 96);
    CHECK(directive("ip6:2001:db8::/32").network == *Prefix::parse("2001:db8::/32"));
    CHECK(directive("ip6:::ffff:192.0.2.1").network.length == 128);
    CHECK(directive("ip6:::/0").network == *Prefix::parse("::/0"));
}

TEST_CASE("spf record: a slash may be part of a name, digits at the end are a length") {
    CHECK(literal_text(directive("a:foo:bar/baz.example.com").target.value()) ==
          "foo:bar/baz.example.com");
    CHECK(directive("a/0//0").ip4_length == 0);
    CHECK(directive("a/0//0").ip6_length == 0);
    CHECK(directive("a:%{d/}/24").ip4_length == 24);
    CHECK(directive("mx//64").ip4_length == 32);
}

TEST_CASE("spf record: modifiers") {
    const auto record = parse_spf_record(
        "v=spf1 Redirect=%{d}.example.org EXP=why.example.org x.y-z_1=a:b/c%{c} a=");
    REQUIRE(record);
    CHECK(record->directives.empty());
    CHECK(record->redirect);
    CHECK(literal_text(record->explanation.value()) == "why.example.org");
}

TEST_CASE("spf record: the first term that is wrong is named") {
    CHECK(refused_term("a moo -all") == "moo");
    CHECK(refused_term("-all %{d}") == "%{d}");
    CHECK(refused_term("ip4:192.0.2.1 ip6:192.0.2.1 ip4:x") == "ip6:192.0.2.1");
    CHECK(refused_term("a\rptr -all") == "a\rptr");
    CHECK(refused_term(std::string{"a:foo.example.com\0 -all", 23}) ==
          std::string{"a:foo.example.com\0", 18});
}

TEST_CASE("spf record: terms that break the grammar") {
    const std::vector<std::string_view> bad{// qualifiers and names
                                            "-",
                                            "+-all",
                                            "--all",
                                            "all.",
                                            "spf",
                                            "\tall",
                                            "1up=x",
                                            "=all",
                                            "-exp=a.example",
                                            "a b=\xfc",
                                            // arguments
                                            "all:example.org",
                                            "all/8",
                                            "include",
                                            "include:",
                                            "include:example.org/24",
                                            "exists",
                                            "exists:",
                                            "exists:example.org/24",
                                            "redirect:example.org",
                                            "ptr:",
                                            "ptr/24",
                                            "a:",
                                            "mx:/24",
                                            // lengths
                                            "a/",
                                            "a//",
                                            "a/33",
                                            "a//129",
                                            "a/032",
                                            "a/00",
                                            "a/24/64",
                                            "a/24//",
                                            "a/-1",
                                            "a/ 1",
                                            "a///64",
                                            "a/99999999999",
                                            "mx/+1",
                                            // networks
                                            "ip4",
                                            "ip4:",
                                            "ip4:192.0.2",
                                            "ip4:192.0.2.1.1",
                                            "ip4:192.0.2.256",
                                            "ip4:192.0.2.01",
                                            "ip4:192.0.2.1/33",
                                            "ip4:192.0.2.1/",
                                            "ip4:192.0.2.1/024",
                                            "ip4:192.0.2.1//32",
                                            "ip4:192.0.2.1:25",
                                            "ip4:2001:db8::1",
                                            "ip4:::ffff:192.0.2.1",
                                            "ip4/24",
                                            "ip6",
                                            "ip6:",
                                            "ip6:192.0.2.1",
                                            "ip6::2001::db8",
                                            "ip6:2001:db8::/129",
                                            "ip6:2001:db8::1%eth0",
                                            "ip6:[2001:db8::1]",
                                            "ip6:2001:db8::\n",
                                            // domain-specs
                                            "a:museum",
                                            "a:museum.",
                                            "a:example.-org",
                                            "a:example.org-",
                                            "a:example.123",
                                            "a:192.0.2.1",
                                            "a:example.org:25",
                                            "a:example.org..",
                                            "a:%{c}",
                                            "a:%{d}x",
                                            "a:%{d.}x",
                                            "a:%",
                                            "a:%{d0}.example",
                                            "a:b\xc3\xbc.example",
                                            "redirect=",
                                            "exp=",
                                            "redirect=-all",
                                            "exp=-all",
                                            "exp=%{r}.example",
                                            // modifiers
                                            "redirect=a.example redirect=a.example",
                                            "exp=a.example exp=b.example",
                                            "x=%y",
                                            "x=%{y}"};
    for (const auto term : bad) {
        CAPTURE(term);
        CHECK_FALSE(parse_spf_record("v=spf1 " + std::string{term}));
        CHECK_FALSE(parse_spf_record("v=spf1 +all " + std::string{term}));
    }
}

TEST_CASE("spf record: toplabels") {
    for (const auto* const term : {"a:example.org",
                                   "a:example.org.",
                                   "a:example.xn--zckzah",
                                   "a:example.1a",
                                   "a:example.a-b",
                                   "a:example.1--2",
                                   "a:.org",
                                   "a:example...com",
                                   "a:_spf.%{d}"}) {
        CAPTURE(term);
        CHECK(parse_spf_record("v=spf1 " + std::string{term}));
    }
}

TEST_CASE("spf record: the slips that senders make have a reason of their own") {
    CHECK(reason("a:192.0.2.1") == "an address is written ip4: or ip6:");
    CHECK(reason("a:2001:db8::1") == "an address is written ip4: or ip6:");
    CHECK(reason("mx:192.0.2.0/24") == "an address is written ip4: or ip6:");
    CHECK(reason("ip4:2001:db8::1") == "not an IPv4 address");
    CHECK(reason("ip6:192.0.2.1") == "not an IPv6 address");
    CHECK(reason("ip4:192.0.2.0/33") == "not a prefix length");
    CHECK(reason("include:") == "it needs a domain");
    CHECK(reason("all:x") == "it takes no argument");
    CHECK(reason("ipv6:2001:db8::1") == "there is no such mechanism");
}

TEST_CASE("spf record: a record may be long") {
    std::string text = "v=spf1";
    for (int i = 0; i < 5000; ++i) {
        text += " ip6:2001:db8:" + std::to_string(i) + "::/64";
    }
    const auto record = parse_spf_record(text + " -all");
    REQUIRE(record);
    CHECK(record->directives.size() == 5001);
}
