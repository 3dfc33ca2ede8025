#include "milter/asked.hpp"
#include "milter/config_letter.hpp"
#include "milter/letter_text.hpp"
#include "milter/pages.hpp"
#include "tests/milter/config_makers.hpp"
#include "tests/policy/report_makers.hpp"
#include "tests/store/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

using milter::fault_in_letter;

namespace {

namespace of_letter_text {

policy::LetterFacts facts() {
    static const policy::Policy policy;
    policy::LetterMaker maker{policy};
    maker.add(tests::judged(tests::without_ptr("example.com", "2001:db8:5::5")));
    return maker.facts();
}

milter::LetterContext context() {
    return {.domain = "example.com",
            .site = "mx.example.net",
            .asked = milter::asked_by(policy::Requirements{}),
            .deadline = "2026-12-01",
            .probe = "ipv6-test@example.net",
            .help_url = "https://example.net/?ip={client}#{reason}"};
}

std::string letter(const std::string& text, const milter::LetterContext& with = context()) {
    REQUIRE_FALSE(fault_in_letter(text));
    return milter::letter_text(text, facts(), with);
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

} // namespace of_letter_text

} // namespace

TEST_CASE("letter_text: ours has all that a postmaster needs") {
    using of_letter_text::has;
    const std::string text = of_letter_text::letter(std::string{milter::pages::letter_txt});
    CHECK(text.starts_with("To: postmaster@example.com\nSubject: "));
    CHECK(has(text, "\n\nDear postmaster of example.com,\n\n"));
    CHECK(has(text,
              "     5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.5.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR "
              "mail.example.com.\n     mail.example.com. AAAA 2001:db8:5::5\n"));
    CHECK(has(text, "2026-12-01"));
    CHECK(has(text, "ipv6-test@example.net"));
    CHECK(has(text, "https://example.net/?ip=2001:db8:5::5#reverse_name_missing\n"));
    CHECK(has(text, "2026-11-20"));
    CHECK(has(text, "that leads back to the address it comes from, and a pass"));
    CHECK_FALSE(has(text, "-all"));
    CHECK_FALSE(has(text, "{"));
    CHECK_FALSE(has(text, "\n\n\n"));
}

TEST_CASE("letter_text: it asks for what the policy asks") {
    struct Case {
        policy::ReverseName reverse_name;
        policy::Authentication authentication;
        policy::SenderDomain sender_domain;
        const char* asked;
    };

    using policy::Authentication;
    using policy::ReverseName;
    using policy::SenderDomain;
    const std::vector<Case> cases{
        {ReverseName::confirmed,
         Authentication::spf_or_dkim,
         SenderDomain::any,
         "a reverse name that leads back to the address it comes from, and a pass of SPF or of "
         "DKIM"},
        {ReverseName::present,
         Authentication::spf_and_dkim,
         SenderDomain::any,
         "a reverse name of the address it comes from, and a pass of SPF and one of DKIM"},
        {ReverseName::any,
         Authentication::aligned,
         SenderDomain::any,
         "a pass of SPF or of DKIM for the domain in From"},
        {ReverseName::any,
         Authentication::any,
         SenderDomain::reachable,
         "a domain in MAIL FROM that bounces can reach"},
        {ReverseName::any, Authentication::any, SenderDomain::any, ""},
    };
    for (const auto& each : cases) {
        policy::Requirements required;
        required.reverse_name = each.reverse_name;
        required.authentication = each.authentication;
        required.sender_domain = each.sender_domain;
        CHECK(milter::asked_by(required) == each.asked);
    }
}

TEST_CASE("letter_text: how many faults are not told is") {
    policy::LetterFacts facts = of_letter_text::facts();
    facts.findings.resize(20, facts.findings.front());
    const std::string text = "To: a\n\n{findings}\n";
    const auto told = [&] { return milter::letter_text(text, facts, of_letter_text::context()); };
    CHECK(told().ends_with("\n\nNot told here: 8 faults more.\n"));
    facts.untold = 1'234;
    CHECK(told().ends_with("8 faults more, and 1,234 deliveries with still other faults.\n"));
    facts.findings.resize(1);
    CHECK(told().ends_with("Not told here: 1,234 deliveries with still other faults.\n"));
    facts.untold = 0;
    CHECK_FALSE(of_letter_text::has(told(), "Not told here"));
}

TEST_CASE("letter_text: what rests on nothing is left out") {
    const std::string text =
        "To: a@example.org\nX-Test: {probe}\n\nfirst {short}\n\nby {deadline}\n"
        "and more\n\nlast {{}}\n";
    CHECK(of_letter_text::letter(text) == "To: a@example.org\nX-Test: ipv6-test@example.net\n\n"
                                          "first 1\n\nby 2026-12-01\nand more\n\nlast {}\n");
    auto without = of_letter_text::context();
    without.deadline.clear();
    without.probe.clear();
    CHECK(of_letter_text::letter(text, without) == "To: a@example.org\n\nfirst 1\n\nlast {}\n");
    CHECK(of_letter_text::letter("A: b\r\n\r\nc\r\n") == "A: b\n\nc\n");
}

TEST_CASE("letter_text: what is wrong with a template, and in which line") {
    struct Case {
        const char* text;
        std::uint32_t line;
        const char* message;
    };

    const std::vector<Case> cases{
        {"", 1, "no text"},
        {"To: a\n", 1, "no text"},
        {"To: a\n\n\n", 3, "no text"},
        {"\nhello\n", 1, "no header field"},
        {"Dear you,\n\nhello\n", 1, "no header field"},
        {"To: a\n folded\n\nhello\n", 2, "no header field"},
        {"Subject: gr\u00fcn\n\nhello\n", 1, "no header field"},
        {"To: {who}\n\nhello\n", 1, "no placeholder {who}"},
        {"To: a\nX-Found: {findings}\n\nhello\n", 2, "a header field is one line"},
        {"Subject: {asked}\n\nhello\n", 1, "a header field is one line"},
        {"To: a\n\nhello {domain}\n{deadlin}\n", 4, "no placeholder {deadlin}"},
        {"To: a\n\nhello {domain\n", 3, "a brace is not closed"},
        {"To: a\n\nhello }\n", 3, "a brace is not closed"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.text);
        const auto fault = fault_in_letter(each.text);
        REQUIRE(fault);
        CHECK(fault->line == each.line);
        CHECK(fault->message.find(each.message) != std::string::npos);
    }
    CHECK_FALSE(fault_in_letter(milter::pages::letter_txt));
    CHECK_FALSE(fault_in_letter("To: a\n\ngr\u00fcn"));
}

TEST_CASE("config letter: the daemon runs without the template, which tells its own faults") {
    const tests::TemporaryFolder folder;
    const std::string file = folder.file("letter.txt");
    const std::string section = "[letter]\n";
    const auto config = config_of(section + "template = '" + file + "'\nsite = 'The University'");
    CHECK(config.letter.template_file == file);
    CHECK(config.letter.site == "The University");
    CHECK(config_of("").letter.template_file.empty());
    CHECK(outcome_of(section + "template = 'good.txt'").find("absolute path") != std::string::npos);
    CHECK(outcome_of(section + "site = \"a\\nb\"").find("printable ASCII") != std::string::npos);
    CHECK(outcome_of(section + "site = ''").find("printable ASCII") != std::string::npos);

    CHECK(milter::letter_in(file).error().find(file + " cannot be opened") == 0);
    std::ofstream{file} << "To: a\n\n{nobody}\n";
    CHECK(milter::letter_in(file).error() == file + ":3: there is no placeholder {nobody}");
    std::ofstream{file} << "To: {domain}\n\nHello\n";
    CHECK(milter::letter_in(file) == "To: {domain}\n\nHello\n");
}
