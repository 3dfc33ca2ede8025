#include "milter/verify/dkim.hpp"
#include "tests/verify/dkim_verification.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

using policy::DkimResult;
using tests::ed25519_key;
using tests::FakeResolver;
using tests::Message;
using tests::octets;
using tests::ordinary_message;
using tests::rsa_key;
using tests::signed_message;
using tests::SigningKey;
using tests::SigningOptions;
using tests::verified;
using verify::RecordType;

namespace {

struct Change {
    std::string name;
    std::function<void(Message&)> change;
    DkimResult simple;
    DkimResult relaxed;
};

void set(Message& message, std::string_view name, std::string_view value) {
    for (auto& field : message.fields) {
        if (field.first == name) {
            field.second = value;
        }
    }
}

SigningOptions with(const std::string& canonicalization) {
    SigningOptions how;
    how.canonicalization = canonicalization;
    return how;
}

} // namespace

TEST_CASE("an unsigned message has no signatures, and its body is not needed") {
    FakeResolver dns;
    verify::Lookups lookups{dns};
    verify::DkimVerifier dkim;
    dkim.header("From", " alice@example.org");
    dkim.end_of_header(lookups);
    CHECK_FALSE(dkim.needs_body());
    dkim.body(octets("text\r\n"));
    CHECK(dkim.end_of_message(lookups).empty());
    CHECK(dns.asked.empty());
}

TEST_CASE("every algorithm and canonicalization") {
    for (const std::string canonicalization :
         {"simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"}) {
        auto how = with(canonicalization);
        CAPTURE(canonicalization);
        CHECK(verified(signed_message(ordinary_message(), rsa_key(), how), rsa_key().record())
                  .at(0)
                  .result == DkimResult::pass);
        how.algorithm = "ed25519-sha256";
        const auto found =
            verified(signed_message(ordinary_message(), ed25519_key(), how), ed25519_key().record())
                .at(0);
        CHECK(found.result == DkimResult::pass);
        CHECK(found.key_bits == 256);
    }
}

TEST_CASE("c= may be absent or name the header alone") {
    CHECK(
        verified(signed_message(ordinary_message(), rsa_key(), with("relaxed")), rsa_key().record())
            .at(0)
            .result == DkimResult::pass);
}

TEST_CASE("what is told of a signature") {
    SigningOptions how;
    how.sdid = "Example.ORG";
    how.more_tags = "i=alice=2Bx@mail.example.org; ";
    const auto message = signed_message(ordinary_message(), rsa_key(), how);
    const auto found = verified(message, rsa_key().record("t=y; ")).at(0);
    CHECK(found.result == DkimResult::pass);
    CHECK(found.sdid == "example.org");
    CHECK(found.auid == "alice=2Bx@mail.example.org");
    CHECK(found.selector == "sel");
    CHECK(found.algorithm == "rsa-sha256");
    CHECK(found.signature.size() == 344);
    CHECK(found.signature.find_first_of(" \t\r\n") == std::string::npos);
    CHECK(found.key_bits == 2048);
    CHECK(found.is_testing);
    CHECK(found.problem.empty());
}

TEST_CASE("a domain that is no A-label is told as one, and not evaluated") {
    SigningOptions how;
    how.sdid = "m\xc3\xbcller.example";
    const auto message = signed_message(ordinary_message(), rsa_key(), how);
    const auto found = verified(message, rsa_key().record()).at(0);
    CHECK(found.result == DkimResult::permerror);
    CHECK(found.sdid == "xn--mller-kva.example");
}

TEST_CASE("what changes on the way") {
    const auto pass = DkimResult::pass;
    const auto fail = DkimResult::fail;
    const std::vector<Change> changes{
        {"nothing", [](Message&) {}, pass, pass},
        {"a letter of the body", [](Message& m) { m.body[0] = 'f'; }, fail, fail},
        {"text after the body", [](Message& m) { m.body += "x\r\n"; }, fail, fail},
        {"empty lines after the body", [](Message& m) { m.body += "\r\n\r\n"; }, pass, pass},
        {"an empty line before it", [](Message& m) { m.body = "\r\n" + m.body; }, fail, fail},
        {"white space in the body", [](Message& m) { m.body.insert(5, " "); }, fail, pass},
        {"white space at a line's end", [](Message& m) { m.body.insert(12, " "); }, fail, pass},
        {"no body", [](Message& m) { m.body.clear(); }, fail, fail},
        {"no final CRLF",
         [](Message& m) { m.body = "First  line \r\n\r\n \tsecond\tline"; },
         pass,
         pass},
        {"a CR at the end", [](Message& m) { m.body.pop_back(); }, fail, fail},
        {"a signed field", [](Message& m) { set(m, "Subject", " Another"); }, fail, fail},
        {"an unsigned field", [](Message& m) { set(m, "Message-ID", " <2@x>"); }, pass, pass},
        {"an added field",
         [](Message& m) {
             m.fields.insert(m.fields.begin(), {"X", " y"});
         },
         pass,
         pass},
        {"a second Subject above",
         [](Message& m) {
             m.fields.insert(m.fields.begin(), {"Subject", " y"});
         },
         pass,
         pass},
        {"a second Subject below",
         [](Message& m) { m.fields.emplace_back("Subject", " y"); },
         fail,
         fail},
        {"the fold of a field",
         [](Message& m) { set(m, "Subject", " A subject\n that is folded, with spaces"); },
         fail,
         pass},
        {"folds as CRLF",
         [](Message& m) { set(m, "Subject", " A  subject that is\r\n\tfolded, with  spaces "); },
         pass,
         pass},
        {"the case of a name", [](Message& m) { m.fields.at(2).first = "FROM"; }, fail, pass},
        {"From is gone", [](Message& m) { m.fields.erase(m.fields.begin() + 2); }, fail, fail},
    };
    for (const auto& c : changes) {
        auto simple = signed_message(ordinary_message(), rsa_key(), with("simple/simple"));
        auto relaxed = signed_message(ordinary_message(), rsa_key(), with("relaxed/relaxed"));
        c.change(simple);
        c.change(relaxed);
        CAPTURE(c.name);
        CHECK(verified(simple, rsa_key().record()).at(0).result == c.simple);
        CHECK(verified(relaxed, rsa_key().record()).at(0).result == c.relaxed);
    }
}

TEST_CASE("a failure says whether body or header was changed") {
    auto message = signed_message(ordinary_message(), rsa_key());
    message.body[0] = 'f';
    CHECK(verified(message, rsa_key().record()).at(0).problem.find("bh=") != std::string::npos);
    message = signed_message(ordinary_message(), rsa_key());
    set(message, "Subject", " Another");
    CHECK(verified(message, rsa_key().record()).at(0).problem.find("b=)") != std::string::npos);
    CHECK(verified(message, SigningKey::rsa(1024).record()).at(0).result == DkimResult::fail);
}

TEST_CASE("the pieces in which a body comes do not matter") {
    for (const std::string canonicalization : {"simple/simple", "relaxed/relaxed"}) {
        auto how = with(canonicalization);
        how.limit = 22;
        const auto message = signed_message(ordinary_message(), rsa_key(), with(canonicalization));
        const auto limited = signed_message(ordinary_message(), rsa_key(), how);
        for (const std::size_t piece : {1U, 2U, 3U, 7U}) {
            FakeResolver dns;
            dns.add_txt("sel._domainkey.example.org", rsa_key().record());
            CHECK(verified(message, dns, piece).at(0).result == DkimResult::pass);
            CHECK(verified(limited, dns, piece).at(0).result == DkimResult::policy);
        }
    }
}

TEST_CASE("bodies that are no bodies") {
    for (const std::string canonicalization : {"simple/simple", "relaxed/relaxed"}) {
        for (const std::string body : {"", "\r\n", "\r\n\r\n\r\n", " \r\n", "x"}) {
            auto message = ordinary_message();
            message.body = body;
            CAPTURE(canonicalization);
            CAPTURE(body);
            message = signed_message(message, rsa_key(), with(canonicalization));
            CHECK(verified(message, rsa_key().record()).at(0).result == DkimResult::pass);
        }
    }
}

TEST_CASE("a signature that verifies and is too weak does not read pass") {
    struct Weak {
        std::string name;
        SigningKey key;
        const char* algorithm;
        DkimResult result;
        unsigned bits;
        std::string problem;
    };

    const std::vector<Weak> weak{
        {"512", SigningKey::rsa(512), "rsa-sha256", DkimResult::policy, 512, "1024"},
        {"768", SigningKey::rsa(768), "rsa-sha256", DkimResult::policy, 768, "1024"},
        {"1024", SigningKey::rsa(1024), "rsa-sha256", DkimResult::pass, 1024, ""},
        {"4096", SigningKey::rsa(4096), "rsa-sha256", DkimResult::pass, 4096, ""},
        {"sha1", rsa_key(), "rsa-sha1", DkimResult::policy, 2048, "rsa-sha1"},
    };
    for (const auto& c : weak) {
        SigningOptions how;
        how.algorithm = c.algorithm;
        const auto found =
            verified(signed_message(ordinary_message(), c.key, how), c.key.record()).at(0);
        CAPTURE(c.name);
        CHECK(found.result == c.result);
        CHECK(found.key_bits == c.bits);
        CHECK(found.problem.find(c.problem) != std::string::npos);
    }
}

TEST_CASE("l= counts as far as it reaches") {
    struct Limit {
        std::string canonicalization;
        std::size_t limit;
        std::string appended;
        DkimResult result;
    };

    // The canonical body has 31 octets under simple, 28 under relaxed.
    const std::vector<Limit> limits{
        {"simple/simple", 31, "", DkimResult::pass},
        {"simple/simple", 31, "\r\n", DkimResult::pass},
        {"simple/simple", 31, "evil\r\n", DkimResult::policy},
        {"simple/simple", 30, "", DkimResult::policy},
        {"simple/simple", 32, "", DkimResult::permerror},
        {"simple/simple", 0, "", DkimResult::policy},
        {"relaxed/relaxed", 28, "", DkimResult::pass},
        {"relaxed/relaxed", 28, " \r\n\t\r\n", DkimResult::pass},
        {"relaxed/relaxed", 28, "evil\r\n", DkimResult::policy},
        {"relaxed/relaxed", 28, "evil", DkimResult::policy},
        {"relaxed/relaxed", 27, "", DkimResult::policy},
        {"relaxed/relaxed", 29, "", DkimResult::permerror},
        {"relaxed", 31, "", DkimResult::pass},
    };
    for (const auto& c : limits) {
        auto how = with(c.canonicalization);
        how.limit = c.limit;
        auto message = signed_message(ordinary_message(), rsa_key(), how);
        message.body += c.appended;
        const auto found = verified(message, rsa_key().record()).at(0);
        CAPTURE(c.canonicalization);
        CAPTURE(c.limit);
        CAPTURE(c.appended);
        CHECK(found.result == c.result);
        CHECK((found.result == DkimResult::pass) == found.problem.empty());
    }
}

TEST_CASE("a From field that was not signed takes the signature's worth") {
    for (const std::string name : {"From", "FROM", "from ", "From\t"}) {
        auto message = signed_message(ordinary_message(), rsa_key());
        message.fields.insert(message.fields.begin(), {name, " eve@example.com"});
        const auto found = verified(message, rsa_key().record()).at(0);
        CAPTURE(name);
        CHECK(found.result == DkimResult::policy);
        CHECK(found.problem.find("From") != std::string::npos);
    }
}

TEST_CASE("From fields that were all signed, or oversigned") {
    auto message = ordinary_message();
    message.fields.emplace_back("From", " second@example.org");
    SigningOptions how;
    how.header_list = "from:from:to:subject";
    CHECK(verified(signed_message(message, rsa_key(), how), rsa_key().record()).at(0).result ==
          DkimResult::pass);
    auto oversigned = signed_message(ordinary_message(), rsa_key(), how);
    CHECK(verified(oversigned, rsa_key().record()).at(0).result == DkimResult::pass);
    oversigned.fields.insert(oversigned.fields.begin(), {"From", " eve@example.com"});
    CHECK(verified(oversigned, rsa_key().record()).at(0).result == DkimResult::fail);
}

TEST_CASE("each of several signatures has its own result, in the order of the fields") {
    FakeResolver dns;
    dns.add_txt("sel._domainkey.example.org", rsa_key().record());
    dns.add_txt("ed._domainkey.example.org", ed25519_key().record());
    dns.fail("sel._domainkey.slow.example", RecordType::txt, verify::LookupFailure::server_failure);
    auto message = ordinary_message();
    const auto add = [&](const SigningKey& key, const SigningOptions& how) {
        message.fields.emplace_back("DKIM-Signature", signature_for(message, key, how));
    };
    SigningOptions how;
    add(rsa_key(), how);
    how.sdid = "slow.example";
    add(rsa_key(), how);
    message.fields.emplace_back("DKIM-Signature", " v=1; d=broken.example; s=x; a=b; nonsense");
    how.sdid = "example.org";
    how.selector = "ed";
    how.algorithm = "ed25519-sha256";
    add(ed25519_key(), how);
    how.selector = "none";
    add(ed25519_key(), how);

    const auto found = verified(message, dns);
    REQUIRE(found.size() == 5);
    CHECK(found[0].result == DkimResult::pass);
    CHECK(found[1].result == DkimResult::temperror);
    CHECK(found[2].result == DkimResult::permerror);
    CHECK(found[2].sdid == "broken.example");
    CHECK(found[2].selector == "x");
    CHECK(found[3].result == DkimResult::pass);
    CHECK(found[4].result == DkimResult::permerror);
}

TEST_CASE("the keys are asked for at the end of the header, each once") {
    FakeResolver dns;
    dns.add_txt("sel._domainkey.example.org", rsa_key().record());
    auto message = signed_message(signed_message(ordinary_message(), rsa_key()), rsa_key());
    verify::Lookups lookups{dns};
    verify::DkimVerifier dkim;
    for (const auto& [name, value] : message.fields) {
        dkim.header(name, value);
    }
    CHECK(dns.asked.empty());
    dkim.end_of_header(lookups);
    CHECK(dns.asked.size() == 1);
    CHECK(dkim.needs_body());
    dkim.body(octets(message.body));
    lookups.set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds{1});
    CHECK(dkim.end_of_message(lookups).size() == 2);
    CHECK(dns.asked.size() == 1);
}

TEST_CASE("a CR in a relaxed body, which libopendkim does not see") {
    SigningOptions how;
    how.canonicalization = "relaxed/relaxed";
    auto message = signed_message(ordinary_message(), rsa_key(), how);
    message.body.insert(3, "\r");
    const auto found = verified(message, rsa_key().record()).at(0);
    CHECK(found.result == DkimResult::permerror);
    CHECK(found.problem.find("CR") != std::string::npos);
}

TEST_CASE("the message of RFC 8463 appendix A") {
    const Message message{{{"DKIM-Signature",
                            " v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
                            " d=football.example.com; i=@football.example.com;\n"
                            " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"
                            " subject : date : message-id : from : subject : date;\n"
                            " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
                            " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\n"
                            " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="},
                           {"DKIM-Signature",
                            " v=1; a=rsa-sha256; c=relaxed/relaxed;\n"
                            " d=football.example.com; i=@football.example.com;\n"
                            " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\n"
                            " date : message-id : from : subject : date;\n"
                            " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
                            " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\n"
                            " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\n"
                            " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8="},
                           {"From", " Joe SixPack <joe@football.example.com>"},
                           {"To", " Suzie Q <suzie@shopping.example.net>"},
                           {"Subject", " Is dinner ready?"},
                           {"Date", " Fri, 11 Jul 2003 21:00:37 -0700 (PDT)"},
                           {"Message-ID", " <20030712040037.46341.5F8J@football.example.com>"}},
                          "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"};
    FakeResolver dns;
    dns.add_txt("brisbane._domainkey.football.example.com",
                "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    dns.add_txt("test._domainkey.football.example.com",
                "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
                "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
                "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
                "Ip3G+2kryOTIKT+l/K4w3QIDAQAB");
    const auto found = verified(message, dns);
    REQUIRE(found.size() == 2);
    CHECK(found[0].result == DkimResult::pass);
    CHECK(found[1].result == DkimResult::pass);
}
