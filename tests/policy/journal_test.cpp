#include "policy/decide.hpp"
#include "policy/journal.hpp"
#include "policy/policy_field.hpp"
#include "policy/printable.hpp"
#include "policy/reply.hpp"
#include "policy/text_lines.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

TEST_CASE("a line of the log has every result and no local part") {
    const Evidence evidence = tests::unauthenticated_evidence();
    Policy policy;
    policy.stages.front().mode = Mode::enforce;
    const Verdict verdict = decide(evidence, policy).value();
    const Reply reply = reply_for(verdict, evidence, policy, {"c1", "id", ""});
    CHECK(log_line({{}, "mx", "c1", "4XYZ", evidence, verdict, reply.code}) ==
          "case=c1 queue_id=4XYZ client=2001:db8:5::5 helo=mail.example.org "
          "mail_from_domain=example.org iprev=pass spf=fail spf_helo=none dkim=none "
          "verdict=reject reason=unauthenticated stage=default mode=enforce "
          "reply=\"550 5.7.26\"");
}

TEST_CASE("no d= reads as another signature's result") {
    Evidence evidence = tests::good_evidence();
    evidence.dkim = {tests::signature(DkimResult::permerror)};
    evidence.dkim->front().sdid = "evil.example,pass:bank.example";
    const std::string line = log_line({{}, "mx", "c1", "", evidence, {}, std::nullopt});
    CHECK(line.find(" dkim=permerror:evil.example?pass?bank.example ") != std::string::npos);
}

TEST_CASE("no signature hides the one that passes") {
    Evidence evidence = tests::good_evidence();
    auto junk = tests::signature(DkimResult::permerror);
    junk.sdid = std::string(250, 'x') + ".example";
    evidence.dkim = {junk, junk, tests::signature(DkimResult::pass)};
    const std::string line = log_line({{}, "mx", "c1", "", evidence, {}, std::nullopt});
    CHECK(line.find(" dkim=pass:" + evidence.dkim->back().sdid + ",permerror:x") !=
          std::string::npos);
}

TEST_CASE("a line of the log says what enforcing would have answered") {
    const Evidence evidence = tests::unauthenticated_evidence();
    const Verdict verdict = decide(evidence, Policy{}).value();
    CHECK(log_line({{}, "mx", "c1", "", evidence, verdict, std::nullopt})
              .ends_with("verdict=accept reason=unauthenticated stage=default mode=observe "
                         "would_enforce=reject"));
}

TEST_CASE("no value ends its field or its line") {
    CHECK(logfmt("helo", "a b") == " helo=\"a b\"");
    CHECK(logfmt("helo", "a\" verdict=accept \"") == R"( helo="a\" verdict=accept \"")");
    CHECK(logfmt("helo", "a\nb") == R"( helo="a\\x0ab")");
    CHECK(logfmt("helo", "a=b") == " helo=\"a=b\"");
    CHECK(logfmt("helo", "") == "");
    CHECK(logfmt("helo", std::string(1000, 'x')).size() < 420);
}

TEST_CASE("printable text is printable") {
    CHECK(printable("plain text") == "plain text");
    CHECK(printable("\r\n\t\x7f\xff\\") == R"(\x0d\x0a\x09\x7f\xff\x5c)");
    CHECK(printable("abcdef", 3) == "abc...");
    CHECK(printable("abc", 3) == "abc");
    CHECK(printable("ab\n", 5) == "ab...");
    CHECK(printable(std::string_view{"\0", 1}) == "\\x00");
}

TEST_CASE("words are kept whole, and quoted ones together") {
    using Lines = std::vector<std::string>;
    CHECK(wrap("", 10, "") == Lines{""});
    CHECK(wrap("one two three", 7, " ") == Lines{"one two", " three"});
    CHECK(wrap(" led by space", 6, "") == Lines{" led", "by", "space"});
    CHECK(wrap(R"((a " b) c="d e f" g)", 8, "") == Lines{"(a \" b)", R"(c="d e f")", "g"});
    CHECK(wrap(R"((a \) " (b c) d) e="f g")", 8, "") ==
          Lines{"(a \\) \"", "(b c) d)", R"(e="f g")"});
    CHECK(wrap(R"(a="(" b="c d")", 4, "") == Lines{R"(a="(")", R"(b="c d")"});
    CHECK(wrap("unbreakable", 4, "") == Lines{"unbreakable"});
    CHECK(wrap("a \"b c d\" e", 4, "") == Lines{"a", "\"b c d\"", "e"});
    CHECK(wrap(R"(a "b\" c" d)", 3, "") == Lines{"a", R"("b\" c")", "d"});
    CHECK(wrap(R"(a (b\" c) d)", 3, "") == Lines{"a", R"((b\")", "c)", "d"});
    CHECK(wrap("a \"never ends", 3, "") == Lines{"a", "\"never ends"});
}

TEST_CASE("the policy field says what would have been answered") {
    Policy policy;
    policy.stages.front().mode = Mode::tag;
    const auto field = [&](const Evidence& evidence) {
        return policy_field(decide(evidence, policy).value(), policy);
    };
    CHECK(field(tests::good_evidence()) == "pass; stage=default");
    CHECK(field(tests::unauthenticated_evidence()) ==
          "fail; reason=unauthenticated; stage=default;\n\t"
          "soft=\"450 4.7.26\"; enforce=\"550 5.7.26\"");
    policy.stages.front().replies[Reason::unauthenticated].enforce = {450, "4.7.26"};
    CHECK(field(tests::unauthenticated_evidence()).starts_with("fail;"));
    Evidence unclear = tests::good_evidence();
    unclear.iprev = {IprevResult::temperror, {}};
    CHECK(field(unclear).starts_with("temperror; reason=reverse_name_temperror;"));
}
