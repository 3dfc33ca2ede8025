#include "milter/verify/author.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::string_literals;

namespace {

std::string domain_of_author(std::string_view from) {
    const std::vector<std::string> fields{std::string{from}};
    return verify::author_domain(fields);
}

std::string many_of(int times, std::string_view text) {
    std::string all;
    for (int i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

} // namespace

TEST_CASE("author_domain: one address that can be read in one way") {
    for (const std::string_view from : {
             "a@good.example",
             " a@good.example ",
             "<a@good.example>",
             "< a@good.example >",
             "A@GOOD.Example",
             "a@good.example.",
             "Alice <a@good.example>",
             "Alice<a@good.example>",
             "Alice Liddell <a@good.example>",
             "Alice P. Liddell <a@good.example>",
             ". <a@good.example>",
             "\"Liddell, Alice\" <a@good.example>",
             R"("Alice \"Al\" Liddell" <a@good.example>)",
             R"("a""b" c <a@good.example>)",
             "\"\" <a@good.example>",
             "\"a b\"@good.example",
             "<\"a b\"@good.example>",
             "a.b+c=d@good.example",
             "=?utf-8?B?QWxpY2U=?= =?utf-8?Q?Li=64dell?= <a@good.example>",
             "\"=?utf-8?Q?Alice?=\" <a@good.example>",
             "Alice\r\n Liddell\r\n\t<a@good.example>",
             "Alice\n <a@good.example>",
             "\r\n a@good.example",
             "\"Alice\r\n Liddell\" <a@good.example>",
             "a@good.example (Alice)",
             "a@good.example(Alice)",
             "(Alice) a@good.example",
             "(one) Alice (two (three) \\) four) <a@good.example> (five) (six)",
             "\xc3\x84nne <a@good.example>",
             "\"\xf0\x9f\x90\x87\" <\xc3\xa4@good.example>",
             "a@good.example (\xe2\x82\xac)",
         }) {
        CAPTURE(from);
        CHECK(domain_of_author(from) == "good.example");
    }
}

TEST_CASE("author_domain: domains as A-labels, literals as they are") {
    CHECK(domain_of_author("a@b\xc3\xbc"
                           "cher.example") == "xn--bcher-kva.example");
    CHECK(domain_of_author("a@XN--BCHER-kva.example") == "xn--bcher-kva.example");
    CHECK(domain_of_author("a@localhost") == "localhost");
    CHECK(domain_of_author("a@[192.0.2.1]") == "[192.0.2.1]");
    CHECK(domain_of_author("a@[good.example]").empty());
}

TEST_CASE("author_domain: what is quoted or a comment is not the author") {
    for (const std::string_view from : {
             "\"a@good.example\" <b@bad.example>",
             "\"<a@good.example>\" <b@bad.example>",
             R"("a@good.example>\" <" <b@bad.example>)",
             "(a@good.example) b@bad.example",
             "(<a@good.example>) <b@bad.example>",
             "b@bad.example (a@good.example)",
             "b@bad.example (a@good.example, <a@good.example>)",
             R"(x (\("<a@good.example>\)) <b@bad.example>)",
             "<b@bad.example> (\"a@good.example)",
             "\"(\" <b@bad.example> (a@good.example)",
             "=?utf-8?B?PGFAZ29vZC5leGFtcGxlPg==?= <b@bad.example>",
             "a%good.example@bad.example",
         }) {
        CAPTURE(from);
        CHECK(domain_of_author(from) == "bad.example");
    }
}

TEST_CASE("author_domain: what has no one reading is nobody's") {
    for (const std::string& from : std::vector<std::string>{
             "",
             " ",
             "()",
             "Alice",
             "a",
             "<>",
             "Alice <>",
             "Alice <a>",
             "@good.example",
             "a@",
             "a@b@good.example",
             "<a@good.example\\>@bad.example>",
             // More than one.
             "a@good.example, b@bad.example",
             "a@good.example,",
             ",a@good.example",
             "a@good.example;b@bad.example",
             "a@good.example b@bad.example",
             "<a@good.example>, <b@bad.example>",
             "<a@good.example> <b@bad.example>",
             "<a@good.example><b@bad.example>",
             "a@good.example <b@bad.example>",
             "a@good.example<b@bad.example>",
             "<a@good.example> b@bad.example",
             "Alice a@good.example",
             "<<a@good.example>>",
             "<a@good.example>>",
             "<a,b@good.example>",
             // Groups and routes.
             "friends: a@good.example;",
             "friends: a@good.example, b@bad.example;",
             "friends:;",
             ":a@good.example",
             "<@bad.example:a@good.example>",
             "<@bad.example,@other.example:a@good.example>",
             // Junk.
             "<a@good.example> junk",
             "a@good.example junk",
             "<a@good.example>.",
             "a@good.example>",
             "<a@good.example",
             "Alice [x] <a@good.example>",
             "Alice \\x <a@good.example>",
             "Liddell, Alice <a@good.example>",
             // Inside of the address.
             "a @good.example",
             "a@ good.example",
             "a@good .example",
             "<a (x) @good.example>",
             "<a@good.example (x)>",
             "a(x)@good.example",
             "a@(x)good.example",
             "<a@good.example\r\n .bad.example>",
             "=?utf-8?Q?a=40good.example_?=@bad.example",
             "=?utf-8?Q?a@good.example?= <b@bad.example>",
             "=?utf-8?Q?a@good.example?=",
             // Not closed.
             "\"Alice <a@good.example>",
             R"("Alice\" <a@good.example>)",
             "(Alice <a@good.example>",
             "((Alice) <a@good.example>",
             "(Alice\\) <a@good.example>",
             "Alice) <a@good.example>",
             "<a@good.example> (x",
             "a@good.example (x\\",
             "\"\\",
             "\"a b\"",
             "<\"a>\"@good.example>",
             // Octets.
             "a@good.example\r\n",
             "a@good.example\r\nX: y",
             "a@good.example\n",
             "Alice\r <a@good.example>",
             "Alice\x1b$B <a@good.example>",
             "Alice\0 <a@good.example>"s,
             "a@good.example\0.bad.example"s,
             "\xff <a@good.example>",
             "\"\x95\x5c\" <a@good.example>, \" <b@bad.example>", // Shift-JIS
             "\xc0\xbc <a@good.example>",                         // overlong
             "\xe0\x80\xbc <a@good.example>",
             "\xf0\x80\x80\xbc <a@good.example>",
             "\xed\xa0\x80 <a@good.example>", // a surrogate
             "\xf4\x90\x80\x80 <a@good.example>",
             "\xc3 <a@good.example>",
             "a@good.example (\xe2\x82",
             "a@b\xff.good.example",
         }) {
        CAPTURE(from);
        CHECK(domain_of_author(from) == "");
    }
}

TEST_CASE("author_domain: one field, no more and no less") {
    const auto domain = [](std::vector<std::string> fields) {
        return verify::author_domain(fields);
    };
    CHECK(domain({"a@good.example"}) == "good.example");
    CHECK(domain({}) == "");
    CHECK(domain({"a@good.example", "b@bad.example"}) == "");
    CHECK(domain({"a@good.example", "a@good.example"}) == "");
    CHECK(domain({"a@good.example", ""}) == "");
}

TEST_CASE("author_domain: a field of 100 kB takes no time") {
    constexpr int many = 50'000;
    const std::string address = "<a@good.example>";
    CHECK(domain_of_author(many_of(many, "x ") + address) == "good.example");
    CHECK(domain_of_author('"' + many_of(many, "\\\"") + '"' + address) == "good.example");
    CHECK(domain_of_author(many_of(many, "(") + many_of(many, ")") + address) == "good.example");
    CHECK(domain_of_author(many_of(many, "()") + address) == "good.example");
    CHECK(domain_of_author(many_of(many, "\r\n ") + address) == "good.example");
    CHECK(domain_of_author(many_of(many, "((") + address) == "");
    CHECK(domain_of_author(many_of(many, "<") + address) == "");
    CHECK(domain_of_author(many_of(many, "\"\"") + address) == "good.example");
    CHECK(domain_of_author(many_of(many, "a@good.example,")) == "");
    CHECK(domain_of_author(many_of(many, "a.") + "good.example") == "");
}
