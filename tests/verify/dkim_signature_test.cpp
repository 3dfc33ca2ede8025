#include "milter/verify/dkim_signature.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using verify::BodyCanonicalization;
using verify::read_signature;

namespace {

constexpr std::string_view ordinary =
    " v=1; a=rsa-sha256; d=example.org; s=sel; h=from:to; bh=YQ==; b=YQ==";

// The ordinary signature with the tag in place of its own, or without it where `value` is absent.
std::string with(const std::string& name, const std::string& value) {
    std::string text;
    for (const auto& tag : verify::parse_tag_list(ordinary).tags) {
        if (tag.name != name) {
            text += tag.name + "=" + tag.value + "; ";
        }
    }
    return value == "-" ? text : text + name + "=" + value;
}

} // namespace

TEST_CASE("what a signature says") {
    const auto field = read_signature(with("l", "12"));
    CHECK(field.problem.empty());
    CHECK(field.key_question().name == "sel._domainkey.example.org");
    CHECK(field.limit() == 12);
    CHECK(field.body_canonicalization() == BodyCanonicalization::simple);
    CHECK(field.times_signed("FROM") == 1);
    CHECK(field.times_signed("subject") == 0);
    CHECK(read_signature(with("c", "simple/Relaxed")).body_canonicalization() ==
          BodyCanonicalization::relaxed);
    CHECK(read_signature(with("c", "relaxed")).body_canonicalization() ==
          BodyCanonicalization::simple);
    CHECK_FALSE(read_signature(ordinary).limit());
}

TEST_CASE("signatures that can be evaluated, and such that cannot") {
    struct Case {
        std::string name;
        std::string value;
        bool is_fine;
    };

    const std::string long_label(64, 'a');
    const std::string long_name = "a." + std::string(60, 'b') + "." + std::string(60, 'c') + "." +
                                  std::string(60, 'd') + "." + std::string(60, 'e');
    const std::vector<Case> cases{
        {"v", "1", true},
        {"v", "-", false},
        {"v", "2", false},
        {"v", "0.5", false},
        {"v", "", false},
        {"a", "-", false},
        {"b", "-", false},
        {"b", "", false},
        {"bh", "-", false},
        {"bh", "", false},
        {"b", "a/+9==", true},
        {"b", "a=b", false},
        {"b", "a-b_", false},
        {"bh", "!!!", false},
        {"d", "-", false},
        {"d", "", false},
        {"d", "a_b.example", true},
        {"d", "example.org.", false},
        {"d", "exa..mple", false},
        {"d", "exa/mple.org", false},
        {"d", long_label + ".org", false},
        {"d", long_name, false},
        {"s", "-", false},
        {"s", "a.b_c", true},
        {"s", "a\\b", false},
        {"s", "*", false},
        {"h", "-", false},
        {"h", "", false},
        {"h", "to:subject", false},
        {"h", "to : From", true},
        {"h", "to::From", false},
        {"h", ":From", false},
        {"h", "From:", false},
        {"h", "from:" + std::string(4000, ':'), false},
        {"i", "alice@example.org", true},
        {"i", "@mail.EXAMPLE.org", true},
        {"i", "al=40ice@example.org", true},
        {"i", "example.org", false},
        {"i", "", false},
        {"i", "@other.org", false},
        {"i", "@xexample.org", false},
        {"i", "@org", false},
        {"i", "a=@example.org", false},
        {"i", "@example.org=", false},
        {"i", "@example.org=4", false},
        {"i", "@example.org=4g", false},
        {"i", std::string(300, 'a') + "@example.org", false},
        {"l", "0", true},
        {"l", "", false},
        {"l", "-1", false},
        {"l", "+1", false},
        {"l", "1x", false},
        {"l", "99999999999999999999", false},
        {"q", "dns/txt", true},
        {"q", "other:DNS/txt", true},
        {"q", "other", false},
        {"q", "", false},
        {"x-new", "anything", true},
        {"x-b1", "anything", true},
        {"x-b", "anything", false},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        CAPTURE(c.value);
        CHECK(read_signature(with(c.name, c.value)).problem.empty() == c.is_fine);
    }
}

TEST_CASE("a signature that libopendkim would hash otherwise") {
    const auto is_fine = [](const std::string& b) {
        return read_signature(with("b", "-") + b + "=YQ==; x=1").problem.empty();
    };
    CHECK(is_fine("b"));
    CHECK(is_fine("\r\n\t b"));
    CHECK_FALSE(is_fine("b "));
    CHECK_FALSE(is_fine("b\r\n\t"));
    CHECK_FALSE(is_fine("b=YQ==; x-b"));
}

TEST_CASE("an unreadable signature still tells what could be read") {
    const auto field = read_signature(" v=1; d=example.org; s=sel; nonsense; i=@example.org");
    CHECK(field.problem == "the signature has a tag without a value");
    CHECK(field.tags.value_of("d") == "example.org");
    CHECK(field.tags.value_of("i") == "@example.org");
}

TEST_CASE("a field that is too large is not read to its end") {
    const auto field = read_signature(std::string{ordinary} + "; z=" + std::string(40000, 'z'));
    CHECK(field.problem == "the DKIM-Signature field is too large");
    CHECK(field.tags.value_of("d") == "example.org");
}
