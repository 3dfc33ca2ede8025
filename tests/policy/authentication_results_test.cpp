#include "policy/authentication_results.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

TEST_CASE("the results of a good message") {
    CHECK(resinfos(tests::good_evidence()) ==
          std::vector<std::string>{
              "iprev=pass (mail.example.org) policy.iprev=\"2001:db8:5::5\"",
              "spf=pass smtp.mailfrom=example.org",
              "spf=none smtp.helo=mail.example.org",
              "dkim=pass (2048-bit key) header.d=example.org header.s=s1 header.a=rsa-sha256 "
              "header.b=\"dGVzdA+/=abc\"",
          });
}

TEST_CASE("what was not checked is not mentioned, and nothing at all is none") {
    Evidence evidence;
    CHECK(authentication_results("mx.example.net", evidence) == "mx.example.net; none");
    evidence.dkim.emplace();
    CHECK(authentication_results("mx.example.net", evidence) == "mx.example.net;\n\tdkim=none");
}

TEST_CASE("a value that is no token is quoted") {
    Evidence evidence = tests::good_evidence();
    evidence.mail_from_domain = "";
    evidence.mail_from = "a/b=c@example.org";
    CHECK(resinfos(evidence).at(1) == R"(spf=pass smtp.mailfrom="a/b=c@example.org")");
    evidence.mail_from = R"("odd \" one"@example.org)";
    CHECK(resinfos(evidence).at(1) ==
          R"(spf=pass smtp.mailfrom="\"odd \\x5c\" one\"@example.org")");
    evidence.spf_helo->domain.clear();
    evidence.helo = "[IPv6:2001:db8::1]";
    CHECK(resinfos(evidence).at(2) == R"(spf=none smtp.helo="[IPv6:2001:db8::1]")");
    evidence.helo = "";
    CHECK(resinfos(evidence).at(2) == "spf=none");
}

TEST_CASE("domains are told as DNS was asked for them") {
    Evidence evidence = tests::good_evidence();
    evidence.mail_from = "a@b\xc3\xbc"
                         "cher.example";
    evidence.mail_from_domain = "xn--bcher-kva.example";
    evidence.helo = "b\xc3\xbc"
                    "cher.example";
    evidence.spf_helo->domain = "xn--bcher-kva.example";
    CHECK(resinfos(evidence).at(1) == "spf=pass smtp.mailfrom=xn--bcher-kva.example");
    CHECK(resinfos(evidence).at(2) == "spf=none smtp.helo=xn--bcher-kva.example");
}

TEST_CASE("an address stands without quotes where RFC 8601 lets it") {
    const std::vector<std::string> plain{
        "user@example.org", "@example.org", "a.b+c'd%e@xn--bcher-kva.example", "user@1.2.3.4"};
    const std::vector<std::string> quoted{"user@localhost",
                                          "user@a_b.example.org",
                                          "user@-a.example.org",
                                          "user@a-.example.org",
                                          "user@example.org.",
                                          "user@a..example.org",
                                          ".user@example.org",
                                          "user.@example.org",
                                          "a..b@example.org",
                                          "a@b@example.org",
                                          "a/b@example.org",
                                          "user@",
                                          "@"};
    Evidence evidence = tests::good_evidence();
    evidence.dkim = {DkimSignature{}};
    for (const auto& auid : plain) {
        evidence.dkim->front().auid = auid;
        CHECK(resinfos(evidence).at(3) == "dkim=none header.i=" + auid);
    }
    for (const auto& auid : quoted) {
        evidence.dkim->front().auid = auid;
        CHECK(resinfos(evidence).at(3) == "dkim=none header.i=\"" + auid + '"');
    }
}

TEST_CASE("nothing a stranger supplies ends a value, a comment or the field") {
    Evidence evidence = tests::good_evidence();
    evidence.helo = "x\r\nBcc: all@example.org";
    evidence.iprev = tests::iprev_fail();
    evidence.iprev->names.front().name = "a) spf=pass (\n";
    evidence.spf_mail_from->problem = "\" smtp.mailfrom=good@example.org; dkim=pass \r\n\x80";
    for (const auto& info : resinfos(evidence)) {
        CAPTURE(info);
        CHECK(info.find_first_of("\r\n") == std::string::npos);
    }
    CHECK(resinfos(evidence).at(0).find("(a\\) spf=pass \\(\\\\x0a is 2001:db8::7)") !=
          std::string::npos);
    CHECK(resinfos(evidence).at(1).find("reason=\"\\\" smtp") != std::string::npos);
}

TEST_CASE("a value that is nothing but quotes fits a line of a reply") {
    Evidence evidence = tests::good_evidence();
    evidence.helo = std::string(300, '"');
    for (const auto& info : resinfos(evidence)) {
        CHECK(info.size() < 480);
    }
}

TEST_CASE("a quote in a comment does not join what follows to one long word") {
    Evidence evidence = tests::good_evidence();
    evidence.iprev = tests::iprev_fail();
    evidence.iprev->names.front().name = "\"" + std::string(150, '(');
    evidence.iprev->names.resize(3, evidence.iprev->names.front());
    const std::string value = authentication_results("mx.example.net", evidence);
    std::size_t longest = 0;
    for (std::size_t begin = 0, end = 0; end < value.size(); begin = end + 1) {
        end = std::min(value.find('\n', begin), value.size());
        longest = std::max(longest, end - begin);
    }
    CHECK(longest < 400);
}

TEST_CASE("a field is folded with LF and keeps to its columns") {
    Evidence evidence = tests::good_evidence();
    evidence.dkim = std::vector(10, tests::signature(DkimResult::pass));
    const std::string value = authentication_results("mx.example.net", evidence);
    CHECK(value.starts_with("mx.example.net;\n\tiprev=pass"));
    CHECK(value.find('\r') == std::string::npos);
    std::size_t begin = 0;
    while (begin < value.size()) {
        const auto end = std::min(value.find('\n', begin), value.size());
        CHECK(end - begin <= 78);
        begin = end + 1;
    }
}

TEST_CASE("a field claims our id however it is spelled") {
    const std::vector<std::string> ours{
        "mx.example.net; spf=pass",
        " mx.example.net; spf=pass",
        "MX.Example.NET; none",
        "mx.example.net 1; spf=pass",
        "mx.example.net 1",
        "mx.example.net",
        "mx.example.net.; spf=pass",
        "\"mx.example.net\"; spf=pass",
        R"("mx.ex\ample.net"; spf=pass)",
        "(comment) mx.example.net (another (nested)) 1 (one more); spf=pass",
        "\n\tmx.example.net\n\t; spf=pass",
        "(a \\) b) mx.example.net; spf=pass",
    };
    for (const auto& value : ours) {
        CAPTURE(value);
        CHECK(claims_authserv_id(value, "mx.example.net"));
    }
}

TEST_CASE("a field that names another is left alone") {
    for (const std::string value : {"mx.example.org; spf=pass",
                                    "example.net; spf=pass",
                                    "mx.example.net.example; none",
                                    "\"other\" 1; spf=pass",
                                    "(mx.example.net) other.example; spf=pass",
                                    "other.example; spf=pass smtp.mailfrom=mx.example.net"}) {
        CAPTURE(value);
        CHECK_FALSE(claims_authserv_id(value, "mx.example.net"));
    }
}

TEST_CASE("a field that cannot be parsed claims everything") {
    for (const std::string value : {"",
                                    " ",
                                    ";",
                                    "; spf=pass",
                                    "spf=pass smtp.mailfrom=x",
                                    "(never ends",
                                    "\"never ends",
                                    "other.example x; spf=pass",
                                    "other.example 1x; spf=pass",
                                    "oth\xc3\xa9r; spf=pass",
                                    "other.example, spf=pass",
                                    "(a\\",
                                    "other.example 1 1; none",
                                    "other.example (open",
                                    "\"mx.example.net \"; spf=pass",
                                    "\"mx.example\n .net\"; spf=pass"}) {
        CAPTURE(value);
        CHECK(claims_authserv_id(value, "mx.example.net"));
    }
}

TEST_CASE("comments as deep as a message allows cost no stack") {
    const std::string deep(1'000'000, '(');
    CHECK(claims_authserv_id(deep, "mx.example.net"));
}
