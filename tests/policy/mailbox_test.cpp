#include "policy/mailbox.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using policy::Mailbox;
using policy::mailbox_in;

namespace {

struct Row {
    std::string text;
    std::string local_part;
    std::string domain;
};

} // namespace

TEST_CASE("a mailbox is a local part and a domain") {
    for (const auto& row : std::vector<Row>{
             {"user@example.org", "user", "example.org"},
             {"User.Name@Example.ORG", "User.Name", "Example.ORG"},
             {"user@example.org.", "user", "example.org"},
             {"user@localhost", "user", "localhost"},
             {"user@a_b.-x.example", "user", "a_b.-x.example"},
             {"user@b\xc3\xbc"
              "cher.example",
              "user",
              "b\xc3\xbc"
              "cher.example"},
             {"us\xc3\xa9r@example.org", "us\xc3\xa9r", "example.org"},
             {"\xe9@example.org", "\xe9", "example.org"},
             {".a..b.@example.org", ".a..b.", "example.org"},
             {"prvs=1+a/b'c#d$&*-^_`{|}~?@example.org",
              "prvs=1+a/b'c#d$&*-^_`{|}~?",
              "example.org"},
             {"a%b.example@example.org", "a%b.example", "example.org"},
             {"b.example!a@example.org", "b.example!a", "example.org"},
             {R"("a b"@example.org)", R"("a b")", "example.org"},
             {R"("a@b.example"@example.org)", R"("a@b.example")", "example.org"},
             {R"("<a>(b),:;\"\\@b"@example.org)", R"("<a>(b),:;\"\\@b")", "example.org"},
             {R"(""@example.org)", R"("")", "example.org"},
             {"@example.org", "", "example.org"},
             {"user@[192.0.2.1]", "user", "[192.0.2.1]"},
             {"user@[IPv6:2001:db8::1]", "user", "[IPv6:2001:db8::1]"},
             {"postmaster", "postmaster", ""},
             {"a..b", "a..b", ""},
         }) {
        CAPTURE(row.text);
        const auto mailbox = Mailbox::parse(row.text);
        REQUIRE(mailbox);
        CHECK(mailbox->local_part == row.local_part);
        CHECK(mailbox->domain == row.domain);
        CHECK(mailbox_in('<' + row.text + '>') == row.text);
        CHECK(mailbox_in(row.text) == row.text);
    }
}

TEST_CASE("what has no one reading is no mailbox") {
    for (const std::string text : {"",
                                   "@",
                                   "@example.org:25",
                                   "user@",
                                   "user@.",
                                   "user@.example.org",
                                   "user@example..org",
                                   "user@example.org..",
                                   "user@example.org@example.net",
                                   "user@example.org ",
                                   " user@example.org",
                                   "us er@example.org",
                                   "user@exam ple.org",
                                   "user@example.org:25",
                                   "user@example.org,a",
                                   "user@example.org;",
                                   "group:user@example.org;",
                                   "user(comment)@example.org",
                                   "user@example.org(comment)",
                                   "user@(comment)example.org",
                                   "<user@example.org>",
                                   "user<a@example.org",
                                   "us\\er@example.org",
                                   "user\\@example.org",
                                   "user@example.org\\",
                                   "\"user@example.org",
                                   "us\"er@example.org",
                                   "\"a\".b@example.org",
                                   "\"user\"",
                                   "\"",
                                   "\"\\",
                                   "\"a\"example.org",
                                   "user\x01@example.org",
                                   "user\x7f@example.org",
                                   "\"a\tb\"@example.org",
                                   "user@example!org",
                                   "user@example%org",
                                   "user@\"example.org\"",
                                   "user@[]",
                                   "user@[example.org]",
                                   "user@[192.0.2]",
                                   "user@[2001:db8::1]",
                                   "user@[IPv6:192.0.2.1.5]",
                                   "user@[IPv6:]",
                                   "user@[192.0.2.1]:a",
                                   "user@[192.0.2.1",
                                   "user@192.0.2.1]"}) {
        CAPTURE(text);
        CHECK_FALSE(Mailbox::parse(text));
    }
    CHECK_FALSE(Mailbox::parse(std::string_view{"us\0er@example.org", 17}));
    CHECK_FALSE(Mailbox::parse(std::string_view{"user@exam\0ple.org", 17}));
}

TEST_CASE("an argument of MAIL or RCPT is a mailbox, with or without brackets") {
    struct Argument {
        std::string text;
        std::string mailbox;
    };

    for (const auto& row : std::vector<Argument>{
             {"<>", ""},
             {"", ""},
             {"< >", ""},
             {"<user@example.org>", "user@example.org"},
             {" <user@example.org>\t", "user@example.org"},
             {"< user@example.org >", "user@example.org"},
             {"<@a.example:u@c.example>", "u@c.example"},
             {"<@a.example,@b.example:u@c.example>", "u@c.example"},
             {"<@a.example:\"u:@x\"@c.example>", "\"u:@x\"@c.example"},
             {"@a.example:u@c.example", "u@c.example"},
         }) {
        CAPTURE(row.text);
        CHECK(mailbox_in(row.text) == row.mailbox);
    }
}

// Each of them was accepted by Postfix 3.7 or Sendmail 8.17, or may be by the next.
TEST_CASE("an argument that MTAs repair is given back whole, and is no mailbox") {
    for (const std::string text : {"postmaster@z<alice>",
                                   "<postmaster@z><alice>",
                                   "<postmaster@z>alice",
                                   "<alice>postmaster@z",
                                   "<<postmaster@z>alice>",
                                   "<postmaster@z<alice>>",
                                   "postmaster@[z]:alice",
                                   "postmaster@z,alice",
                                   "postmaster@z(<alice>",
                                   "<postmaster@z(>",
                                   "<postmaster@(x)z>",
                                   "<@x(:postmaster@z):alice>",
                                   "<@x\":postmaster@z\":alice>",
                                   "<@x:postmaster@z:alice>",
                                   "<alice@example.org(@example.net>",
                                   "<alice@example.org",
                                   "alice@example.org>",
                                   "<alice@example.org(@example.net",
                                   "x:a@example.org;(@example.net",
                                   "<>x@example.org",
                                   "x@example.org<>",
                                   "<>(@example.org",
                                   "<<>>",
                                   "<@example.org:>",
                                   "<@example.org,>",
                                   "<@example.org:alice>",
                                   "<@:a@example.org>",
                                   "<@a.example,b.example:u@c.example>",
                                   "<@a.example @b.example:u@c.example>",
                                   "<@a.example:@b.example:u@c.example>",
                                   "<@a.example: u@c.example>",
                                   "<",
                                   ">",
                                   "><"}) {
        CAPTURE(text);
        CHECK(mailbox_in(text) == text);
        CHECK_FALSE(Mailbox::parse(text));
    }
}
