#include "milter/verify/spf_macro.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

using verify::expand;
using verify::expand_domain;
using verify::parse_spf_macros;
using verify::SpfMacroLetters;
using verify::SpfMacroValues;

namespace {

// The sender of RFC 7208 section 7.4.
SpfMacroValues example(std::string_view client) {
    SpfMacroValues values;
    values.client = policy::Address::parse(client).value();
    values.local_part = "strong-bad";
    values.sender_domain = "email.example.com";
    values.domain = "email.example.com";
    values.helo = "mail.example.net";
    values.receiver = "mx.example.org";
    values.validated_name = "mx.email.example.com";
    values.time = std::chrono::system_clock::time_point{std::chrono::seconds{1'700'000'000}};
    return values;
}

std::string expanded(std::string_view text, const SpfMacroValues& values) {
    return expand(parse_spf_macros(text, SpfMacroLetters::all).value(), values, 10'000);
}

std::string expanded(std::string_view text) {
    return expanded(text, example("192.0.2.3"));
}

struct MacroRow {
    std::string_view text;
    std::string_view expansion;
};

} // namespace

TEST_CASE("spf macros: the examples of RFC 7208 section 7.4") {
    const std::vector<MacroRow> rows{
        {"%{s}", "strong-bad@email.example.com"},
        {"%{o}", "email.example.com"},
        {"%{d}", "email.example.com"},
        {"%{d4}", "email.example.com"},
        {"%{d3}", "email.example.com"},
        {"%{d2}", "example.com"},
        {"%{d1}", "com"},
        {"%{dr}", "com.example.email"},
        {"%{d2r}", "example.email"},
        {"%{l}", "strong-bad"},
        {"%{l-}", "strong.bad"},
        {"%{lr}", "strong-bad"},
        {"%{lr-}", "bad.strong"},
        {"%{l1r-}", "strong"},
        {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
        {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
        {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        CHECK(expanded(row.text) == row.expansion);
    }
}

TEST_CASE("spf macros: every letter, in either case") {
    const std::vector<MacroRow> rows{
        {"%{h}", "mail.example.net"},
        {"%{p}", "mx.email.example.com"},
        {"%{c}", "192.0.2.3"},
        {"%{r}", "mx.example.org"},
        {"%{t}", "1700000000"},
        {"%{S}", "strong-bad%40email.example.com"},
        {"%{D2}", "example.com"},
        {"%%%_%-", "% %20"},
        {"no macro at all", "no macro at all"},
        {"", ""},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        CHECK(expanded(row.text) == row.expansion);
    }
}

TEST_CASE("spf macros: an IPv6 client has 32 nibbles, and an address that one can read") {
    const auto values = example("2001:db8::cb01");
    CHECK(expanded("%{i}", values) ==
          "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1");
    CHECK(expanded("%{ir}.%{v}", values) ==
          "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6");
    CHECK(expanded("%{i4r}", values) == "1.0.0.2");
    CHECK(expanded("%{c}", values) == "2001:db8::cb01");
    CHECK(expanded("%{i}", example("::ffff:192.0.2.3")) == "192.0.2.3");
}

TEST_CASE("spf macros: more parts than there are is all of them") {
    auto values = example("192.0.2.3");
    values.domain = "example.org";
    CHECK(expanded("%{d2}", values) == "example.org");
    CHECK(expanded("%{d128}", values) == "example.org");
    CHECK(expanded("%{d99999999999999999999}", values) == "example.org");
    CHECK(expanded("%{d02r}", values) == "org.example");
}

TEST_CASE("spf macros: each delimiter splits, and dots join") {
    auto values = example("192.0.2.3");
    values.local_part = "a.b-c+d,e/f_g=h";
    const std::vector<MacroRow> rows{
        {"%{l.}", "a.b-c+d,e/f_g=h"},
        {"%{l-}", "a.b.c+d,e/f_g=h"},
        {"%{l+}", "a.b-c.d,e/f_g=h"},
        {"%{l,}", "a.b-c+d.e/f_g=h"},
        {"%{l/}", "a.b-c+d,e.f_g=h"},
        {"%{l_}", "a.b-c+d,e/f.g=h"},
        {"%{l=}", "a.b-c+d,e/f_g.h"},
        {"%{l3r.-+,/_=}", "c.b.a"},
        {"%{L1/}", "f_g%3Dh"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        CHECK(expanded(row.text, values) == row.expansion);
    }
}

TEST_CASE("spf macros: URL escapes spare the unreserved characters only, and are upper case") {
    auto values = example("192.0.2.3");
    values.local_part = "Az09-._~!*'()&=+ \xc3\xbc";
    CHECK(expanded("%{L}", values) == "Az09-._~%21%2A%27%28%29%26%3D%2B%20%C3%BC");
}

TEST_CASE("spf macros: what the grammar does not know is refused") {
    const std::vector<std::string_view> bad{
        "%",     "a%",    "%a",      "%(d)",   "%{",        "%{d",   "%{}",
        "%{x}",  "%{d0}", "%{d00r}", "%{dr2}", "%{drr}",    "%{d!}", "%{d|}",
        "%{ d}", "a\tb",  "a\rb",    "a\nb",   {"a\0b", 3}, "a\x7f", "\xc3\xbc"};
    for (const auto text : bad) {
        CAPTURE(text);
        CHECK_FALSE(parse_spf_macros(text, SpfMacroLetters::all));
    }
}

TEST_CASE("spf macros: c, r and t belong in explanations") {
    for (const auto* const text : {"%{c}", "%{r}", "%{t}", "%{C}"}) {
        CAPTURE(text);
        CHECK(parse_spf_macros(text, SpfMacroLetters::all));
        CHECK_FALSE(parse_spf_macros(text, SpfMacroLetters::of_domain_specs));
    }
}

TEST_CASE("spf macros: what a domain-spec may end in is known") {
    const auto ends_in_macro = [](std::string_view text) {
        return parse_spf_macros(text, SpfMacroLetters::of_domain_specs).value().ends_in_macro;
    };
    CHECK(ends_in_macro("a.%{d}"));
    CHECK(ends_in_macro("a%%"));
    CHECK_FALSE(ends_in_macro("%{d}.a"));
    CHECK_FALSE(ends_in_macro("%{d}}"));
    CHECK_FALSE(ends_in_macro(""));
}

TEST_CASE("spf macros: which letters are used") {
    const auto parse = [](std::string_view text) {
        return parse_spf_macros(text, SpfMacroLetters::of_domain_specs).value();
    };
    CHECK(verify::uses_letter(parse("a.%{P}"), 'p'));
    CHECK_FALSE(verify::uses_letter(parse("p.%{d}"), 'p'));
}

TEST_CASE("spf macros: a long value, asked for many times, costs no more than it gives") {
    auto values = example("192.0.2.3");
    for (int i = 0; i < 1000; ++i) {
        values.local_part += "-a";
    }
    std::string text;
    for (int i = 0; i < 16'000; ++i) {
        text += "%{l1r-}"; // reversed, the last part: what stands before the first hyphen
    }
    values.local_part.erase(0, values.local_part.find('-'));
    CHECK(expanded(text + "end", values) == "end");
    CHECK(expanded("%{s}" + text, values).size() > 2'000);
    values.local_part = std::string(2000, 'x');
    CHECK(expanded(text, values).size() == 10'000);
}

TEST_CASE("spf macros: a name for DNS has at most 253 octets, and loses labels on the left") {
    auto values = example("192.0.2.3");
    const auto name_of = [&values](std::string_view text) {
        return expand_domain(*parse_spf_macros(text, SpfMacroLetters::of_domain_specs), values);
    };
    CHECK(name_of("example.org.") == "example.org");
    values.local_part = std::string(241, 'l'); // with .example.org it makes 253
    CHECK(name_of("%{l}.example.org").size() == 253);
    CHECK(name_of("%{l}.example.org.").size() == 253);
    CHECK(name_of("a.%{l}.example.org").size() == 253);
    CHECK(name_of("a%{l}.example.org") == "example.org");
    CHECK(name_of("%{l}%{l}").empty());
    values.local_part = "l";
    std::string many;
    for (int i = 0; i < 5000; ++i) {
        many += "%{l}.";
    }
    CHECK(name_of(many + "example.org").size() == 253);
}
