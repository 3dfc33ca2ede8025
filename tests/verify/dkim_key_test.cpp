#include "milter/verify/dkim_key.hpp"
#include "tests/verify/dkim_verification.hpp"

#include <doctest/doctest.h>

#include <ctime>
#include <string>
#include <vector>

using policy::DkimResult;
using tests::ed25519_key;
using tests::FakeResolver;
using tests::ordinary_message;
using tests::rsa_key;
using tests::signed_message;
using tests::SigningOptions;
using tests::verified;
using verify::LookupFailure;
using verify::RecordType;

namespace {

constexpr auto key_name = "sel._domainkey.example.org";

} // namespace

TEST_CASE("a key that cannot be had") {
    const auto message = signed_message(ordinary_message(), rsa_key());

    struct Case {
        LookupFailure failure;
        DkimResult result;
        std::string problem;
    };

    const std::vector<Case> cases{
        {LookupFailure::no_such_domain, DkimResult::permerror, "NXDOMAIN"},
        {LookupFailure::no_record, DkimResult::permerror, "no record"},
        {LookupFailure::server_failure, DkimResult::temperror, "server failure"},
        {LookupFailure::timeout, DkimResult::temperror, "timeout"},
    };
    for (const auto& c : cases) {
        FakeResolver dns;
        dns.fail(key_name, RecordType::txt, c.failure);
        const auto found = verified(message, dns).at(0);
        CAPTURE(c.problem);
        CHECK(found.result == c.result);
        CHECK(found.problem.find(c.problem) != std::string::npos);
        CHECK(found.problem.find(key_name) != std::string::npos);
    }
}

TEST_CASE("a key that never comes is a temperror at the deadline") {
    FakeResolver dns;
    dns.stall(key_name, RecordType::txt);
    const auto found = verified(signed_message(ordinary_message(), rsa_key()), dns).at(0);
    CHECK(found.result == DkimResult::temperror);
    CHECK(found.sdid == "example.org");
}

TEST_CASE("key records") {
    using namespace std::string_literals;

    struct Case {
        std::string name;
        std::string record;
        DkimResult result;
        std::string problem;
    };

    const auto p = "p=" + rsa_key().public_key();
    const auto pass = DkimResult::pass;
    const auto permerror = DkimResult::permerror;
    const std::vector<Case> cases{
        {"only p=", p, pass, ""},
        {"spaces and a final semicolon", " v = DKIM1 ; k = rsa ; " + p + " ; ", pass, ""},
        {"an unknown tag", "v=DKIM1; new=1; " + p, pass, ""},
        {"notes", "v=DKIM1; n=1024, see example.org; " + p, pass, ""},
        {"another version", "v=DKIM2; " + p, permerror, "version"},
        {"k=ed25519 over an RSA key", "v=DKIM1; k=ed25519; " + p, permerror, "rsa-sha256"},
        {"an unknown k=", "v=DKIM1; k=dsa; " + p, permerror, "rsa-sha256"},
        {"k=RSA", "v=DKIM1; k=RSA; " + p, pass, ""},
        {"h=sha256", "v=DKIM1; h=sha256; " + p, pass, ""},
        {"h=sha1:sha256", "v=DKIM1; h=sha1:sha256; " + p, pass, ""},
        {"h=sha1", "v=DKIM1; h=sha1; " + p, permerror, "hash"},
        {"h=sha512", "v=DKIM1; h=sha512; " + p, permerror, "hash"},
        {"s=email", "v=DKIM1; s=email; " + p, pass, ""},
        {"s=*", "v=DKIM1; s=*; " + p, pass, ""},
        {"s=other:email", "v=DKIM1; s=other:email; " + p, pass, ""},
        {"s=other", "v=DKIM1; s=other; " + p, permerror, "mail"},
        {"t=y", "v=DKIM1; t=y; " + p, pass, ""},
        {"t=s", "v=DKIM1; t=s; " + p, pass, ""},
        {"t=y:s", "v=DKIM1; t=y:s; " + p, pass, ""},
        {"revoked", "v=DKIM1; p=", permerror, "revoked"},
        {"revoked, with flags", "v=DKIM1; p=; t=y", permerror, "revoked"},
        {"no p=", "v=DKIM1; k=rsa", permerror, "no key"},
        {"no key at all", "v=spf1 -all", permerror, "no key"},
        {"empty", "", permerror, "no key"},
        {"p= is no base64", "v=DKIM1; p=%%%%", permerror, "key"},
        {"p= is no key", "v=DKIM1; p=YWJjZGVmZ2hpamtsbW5vcA==", permerror, "decoded"},
        {"p= is an Ed25519 key", "v=DKIM1; p=" + ed25519_key().public_key(), permerror, "decoded"},
        {"a tag twice", "v=DKIM1; k=rsa; k=rsa; " + p, permerror, "twice"},
        {"no tag list", "v=DKIM1; what; " + p, permerror, "without a value"},
        {"8 bits", "v=DKIM1; n=caf\xc3\xa9; " + p, permerror, "ASCII"},
        {"a NUL", "v=DKIM1; " + p + "\0; t=s"s, permerror, "ASCII"},
        {"long notes", "v=DKIM1; n=" + std::string(5000, 'n') + "; " + p, pass, ""},
        {"long notes before t=s",
         p + "; n=" + std::string(5000, 'n') + "; h=sha1",
         permerror,
         "hash"},
        {"a list of flags of 2000 octets", p + "; t=" + std::string(2000, 'f'), permerror, "1024"},
        {"65535 octets", "p=" + std::string(65533, 'p'), permerror, "1024"},
        {"v= after another tag", "k=rsa; v=DKIM1; " + p, permerror, "first"},
    };
    for (const auto& c : cases) {
        const auto found = verified(signed_message(ordinary_message(), rsa_key()), c.record).at(0);
        CAPTURE(c.name);
        CHECK(found.result == c.result);
        CHECK(found.problem.find(c.problem) != std::string::npos);
        CHECK((found.result == pass) == found.problem.empty());
        CHECK(found.is_testing == (c.record.find("t=y") != std::string::npos));
    }
}

TEST_CASE("an Ed25519 key is one only where it says so") {
    SigningOptions how;
    how.algorithm = "ed25519-sha256";
    const auto message = signed_message(ordinary_message(), ed25519_key(), how);
    const auto p = "p=" + ed25519_key().public_key();
    CHECK(verified(message, "v=DKIM1; k=ed25519; " + p).at(0).result == DkimResult::pass);
    CHECK(verified(message, "v=DKIM1; k=rsa; " + p).at(0).result == DkimResult::permerror);
    CHECK(verified(message, "v=DKIM1; " + p).at(0).result == DkimResult::permerror);
    CHECK(verified(message, rsa_key().record()).at(0).result == DkimResult::permerror);
}

TEST_CASE("several records at a name are no key") {
    FakeResolver dns;
    dns.add_txt(key_name, rsa_key().record());
    dns.add_txt(key_name, "v=spf1 -all");
    const auto found = verified(signed_message(ordinary_message(), rsa_key()), dns).at(0);
    CHECK(found.result == DkimResult::permerror);
    CHECK(found.problem.find("several") != std::string::npos);
}

TEST_CASE("t=s binds i= to the domain itself") {
    SigningOptions how;
    how.more_tags = "i=alice@example.org; ";
    const auto same = signed_message(ordinary_message(), rsa_key(), how);
    how.more_tags = "i=alice@mail.example.org; ";
    const auto below = signed_message(ordinary_message(), rsa_key(), how);
    CHECK(verified(same, rsa_key().record("t=s; ")).at(0).result == DkimResult::pass);
    CHECK(verified(below, rsa_key().record()).at(0).result == DkimResult::pass);
    const auto found = verified(below, rsa_key().record("t=s; ")).at(0);
    CHECK(found.result == DkimResult::permerror);
    CHECK(found.problem.find("t=s") != std::string::npos);
}

TEST_CASE("what a signature says of its time and its form") {
    const auto now = std::time(nullptr);
    const auto at = [now](int seconds) { return std::to_string(now + seconds); };

    struct Case {
        std::string tags;
        std::string algorithm;
        std::string canonicalization;
        DkimResult result;
        std::string problem;
    };

    const std::string rsa = "rsa-sha256";
    const std::string simple = "simple/simple";
    const auto pass = DkimResult::pass;
    const auto permerror = DkimResult::permerror;
    const std::vector<Case> cases{
        {"t=" + at(-10) + "; x=" + at(1000) + "; ", rsa, simple, pass, ""},
        {"t=" + at(-2000) + "; x=" + at(-1000) + "; ", rsa, simple, permerror, "expired"},
        {"x=" + at(-1000) + "; ", rsa, simple, permerror, "expired"},
        {"t=" + at(2000) + "; ", rsa, simple, permerror, "future"},
        {"t=" + at(-1000) + "; x=" + at(-2000) + "; ", rsa, simple, permerror, "expired"},
        {"t=" + at(100) + "; x=" + at(50) + "; ", rsa, simple, permerror, "before"},
        {"t=x; ", rsa, simple, permerror, ""},
        {"x=-1; ", rsa, simple, permerror, ""},
        {"x=99999999999999999999999; ", rsa, simple, permerror, ""},
        {"", rsa, "nowsp", permerror, "c="},
        {"", rsa, "simple/nowsp", permerror, "c="},
        {"", "rsa-sha512", simple, permerror, "a="},
        {"", "RSA-SHA256", simple, pass, ""},
    };
    for (const auto& c : cases) {
        SigningOptions how;
        how.more_tags = c.tags;
        how.algorithm = c.algorithm;
        how.canonicalization = c.canonicalization;
        FakeResolver dns;
        dns.add_txt(key_name, rsa_key().record());
        const auto found = verified(signed_message(ordinary_message(), rsa_key(), how), dns).at(0);
        CAPTURE(c.tags);
        CAPTURE(c.algorithm);
        CAPTURE(c.canonicalization);
        CHECK(found.result == c.result);
        CHECK(found.problem.find(c.problem) != std::string::npos);
        CHECK((found.result == pass) == found.problem.empty());
        CHECK(dns.asked.size() == (c.result == pass ? 1 : 0));
    }
}
