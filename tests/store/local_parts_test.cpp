#include "milter/store/local_parts.hpp"
#include "milter/store/store.hpp"
#include "policy/ascii.hpp"
#include "policy/decide.hpp"
#include "policy/mailbox.hpp"
#include "policy/recipient_pattern.hpp"
#include "tests/store/entry_makers.hpp"
#include "tests/store/temporary_folder.hpp"
#include "tests/store/trouble.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace {

using store::LocalParts;
using tests::trouble_with;
using tests::write_file;

const std::string key(32, 'k');

// Each set of patterns as what is exempt, and as what selects a stage.
std::vector<policy::Policy>
policies_by(const std::vector<std::vector<policy::RecipientPattern>>& patterns) {
    std::vector<policy::Policy> policies;
    for (const auto& each : patterns) {
        policy::Policy exempts;
        exempts.stages.front().mode = policy::Mode::enforce;
        exempts.exempt_recipients = each;
        policies.push_back(exempts);
        policy::Policy selects;
        selects.exempt_recipients.clear();
        policy::Stage tenants;
        tenants.name = "tenants";
        tenants.mode = policy::Mode::enforce;
        tenants.selector.recipients = each;
        selects.stages.insert(selects.stages.begin(), tenants);
        policies.push_back(selects);
    }
    return policies;
}

} // namespace

TEST_CASE("an address keeps its domain, and its local part cannot be read") {
    const LocalParts hashed{key};
    const std::string hidden = hashed.hidden("user@Example.org");
    CHECK(hidden.ends_with("@Example.org"));
    CHECK(hidden.size() == std::string{"~0123456789abcdef@Example.org"}.size());
    CHECK(hidden.find("user") == std::string::npos);
}

TEST_CASE("the same local part is recognised") {
    const LocalParts hashed{key};
    CHECK(hashed.hidden("user@example.org") == hashed.hidden("USER@example.org"));
    CHECK(hashed.hidden("user@example.org") == LocalParts{key}.hidden("user@example.org"));
    CHECK(hashed.hidden("user@a.example").substr(0, 17) ==
          hashed.hidden("user@b.example").substr(0, 17));
    CHECK(hashed.hidden("user@example.org") != hashed.hidden("user1@example.org"));
    CHECK(hashed.hidden("user@example.org") !=
          LocalParts{std::string(32, 'l')}.hidden("user@example.org"));
}

TEST_CASE("what is hidden already, and what hides nobody, stay as they are") {
    const LocalParts hashed{key};
    const std::string hidden = hashed.hidden("user@example.org");
    CHECK(hashed.hidden(hidden) == hidden);
    CHECK(hashed.hidden("") == "");
    CHECK(hashed.hidden("@example.org") == "@example.org");
    CHECK(LocalParts{}.hidden("user@example.org") == "user@example.org");
}

TEST_CASE("a local part that may lead elsewhere may still when it is hidden") {
    const LocalParts hashed{key};
    for (const auto* const address : {"user%there.example@example.org",
                                      "there.example!user@example.org",
                                      "\"a@b\"@b.example"}) {
        const std::string hidden = hashed.hidden(address);
        CAPTURE(hidden);
        CHECK(policy::Mailbox::parse(hidden));
        CHECK_FALSE(policy::has_one_reading(hidden));
        CHECK(hashed.hidden(hidden) == hidden);
    }
    CHECK(policy::has_one_reading(hashed.hidden("user@example.org")));
    CHECK(policy::has_one_reading(hashed.hidden("\"a b\"@example.org")));
    CHECK_FALSE(policy::has_one_reading(hashed.hidden("postmaster"))); // of whose domain?
}

TEST_CASE("whatever stands before the last @ is hidden") {
    const LocalParts hashed{key};
    CHECK(hashed.hidden("postmaster").find("postmaster") == std::string::npos);
    CHECK(hashed.hidden("\"a@b\"@example.org").find("a@b") == std::string::npos);
    CHECK(hashed.hidden("~0123456789ABCDEF@example.org") != "~0123456789ABCDEF@example.org");
}

TEST_CASE("of an address that can be read in more than one way nothing is left") {
    const LocalParts hashed{key};
    for (const auto* const address : {"postmaster@z<alice.secret>",
                                      "user@example.net (Alice Secret)",
                                      "<alice@secret.example",
                                      "alice secret@secret.example",
                                      "\"alice\"",
                                      "@secret.example:"}) {
        CAPTURE(address);
        const std::string hidden = hashed.hidden(address);
        CHECK(hidden.size() == std::string{"~0123456789abcdef<"}.size());
        CHECK_FALSE(policy::Mailbox::parse(hidden));
        CHECK(hashed.hidden(hidden) == hidden);
        CHECK(LocalParts{}.hidden(address) == address);
    }
    CHECK(hashed.hidden("a@b<alice>") != hashed.hidden("a@b<bob>"));
}

TEST_CASE("an entry has no local part left") {
    policy::JournalEntry entry = tests::entry("c1");
    entry.evidence.mail_from = "Jane.Doe@example.org";
    entry.evidence.recipients = {"jane.doe@example.net", "jane.doe"};
    entry.evidence.dkim->front().auid = "jane.doe@example.org";
    entry.evidence.spf_mail_from->problem = "TXT doe._spf.example.org: timeout";
    entry.evidence.spf_mail_from->explanation = "no mail from DOE.JANE%40example.org";

    const LocalParts hashed{key};
    const policy::JournalEntry hidden = hashed.hidden(entry);
    const auto& evidence = hidden.evidence;
    CHECK(evidence.recipients.front().substr(0, 17) == evidence.mail_from.substr(0, 17));
    for (const std::string& text : {evidence.mail_from,
                                    evidence.recipients[0],
                                    evidence.recipients[1],
                                    evidence.dkim->front().auid,
                                    evidence.spf_mail_from->problem,
                                    evidence.spf_mail_from->explanation}) {
        CHECK(policy::to_lower(text).find("doe") == std::string::npos);
    }
    CHECK(hashed.hidden(hidden) == hidden);
    CHECK(LocalParts{}.hidden(entry) == entry);
}

TEST_CASE("a text of SPF is left out where there is no telling what it spells") {
    for (const std::string& local_part : {std::string{"\xce\xb1\xce\xb2"},
                                          std::string{"j\xc3\xb6rg"},
                                          std::string{"'"},
                                          std::string(65, 'x')}) {
        CAPTURE(local_part);
        policy::JournalEntry entry = tests::entry("c1");
        entry.evidence.mail_from = local_part + "@example.org";
        entry.evidence.spf_mail_from->problem = "";
        entry.evidence.spf_mail_from->explanation = "no mail from %CE%B1%CE%B2, %27 or rg";
        const auto hidden = LocalParts{key}.hidden(entry).evidence.spf_mail_from;
        CHECK(hidden->explanation == "(left out: it could spell the local part)");
        CHECK(hidden->problem.empty());
    }
}

TEST_CASE("a text of SPF that could not spell the local part is kept") {
    policy::JournalEntry entry = tests::entry("c1");
    entry.evidence.mail_from = "jane.doe@example.org";
    entry.evidence.spf_mail_from->problem = "TXT example.org: timeout";
    CHECK(LocalParts{key}.hidden(entry).evidence.spf_mail_from == entry.evidence.spf_mail_from);
}

TEST_CASE("a hidden entry is judged as the full one was") {
    const std::vector<std::string> recipients{"postmaster@example.net",
                                              "POSTMASTER@Example.NET",
                                              "postmaster",
                                              "user@example.net",
                                              "User@example.org",
                                              "other@example.net",
                                              "@example.net",
                                              "~0123456789abcdef@example.net",
                                              "\"a b\"@example.net",
                                              "\"a@b\"@example.net",
                                              "user%example.org@example.net",
                                              "example.org!user@example.net",
                                              "user%example.org",
                                              "\"a b\"",
                                              "user@example.net(@example.org",
                                              "x(@example.org",
                                              ""};
    const std::vector<std::vector<policy::RecipientPattern>> patterns{
        {},
        {{"postmaster", "*"}},
        {{"*", "example.org"}},
        {{"*", "example.net"}},
        {{"user%example.org", "example.net"}, {"\"a@b\"", "*"}},
        {{"x(", "example.org"}},
        {{"*", "*"}},
        {{"user", "example.net"}, {"Other", "EXAMPLE.net"}},
        {{"~0123456789abcdef", "example.net"}},
        {{"\"a b\"", "*"}},
        {{"user%example.org", "example.net"}},
    };
    const LocalParts hashed{key};
    policy::JournalEntry entry = tests::entry("c1");
    for (const auto& policy : policies_by(patterns)) {
        const policy::Policy for_hidden = hashed.for_hidden(policy);
        for (const auto& first : recipients) {
            for (const auto& second : recipients) {
                CAPTURE(first);
                CAPTURE(second);
                entry.evidence.recipients = {first, second};
                const auto verdict = policy::decide(entry.evidence, policy);
                CHECK(policy::decide(hashed.hidden(entry).evidence, for_hidden) == verdict);
                CHECK(policy::decide(entry.evidence, for_hidden) == verdict); // kept in full
            }
        }
    }
}

TEST_CASE("a key is made once, for its owner") {
    const tests::TemporaryFolder folder;
    const std::string file = folder.file("sixgate.key");
    const std::string made = store::read_or_make_key(file);
    CHECK(made.size() == 32);
    CHECK(store::read_or_make_key(file) == made);
    CHECK(store::read_key(file) == made);

    struct stat status {};

    REQUIRE(stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
    CHECK(std::distance(std::filesystem::directory_iterator{folder.file("")}, {}) == 1);
}

TEST_CASE("of many who make a key at once all have the same") {
    for (int round = 0; round < 20; ++round) {
        const tests::TemporaryFolder folder;
        constexpr std::size_t makers = 8;
        std::vector<std::string> keys(makers);
        std::latch all_there{makers};
        std::vector<std::thread> threads;
        threads.reserve(makers);
        for (auto& made : keys) {
            threads.emplace_back([&] {
                all_there.arrive_and_wait();
                made = store::read_or_make_key(folder.file("sixgate.key"));
            });
        }
        for (auto& thread : threads) {
            thread.join();
        }
        CHECK(keys.front().size() == 32);
        CHECK(std::ranges::count(keys, keys.front()) == makers);
    }
}

TEST_CASE("a key that cannot be had is told with the name of its file") {
    const tests::TemporaryFolder folder;
    const std::string file = folder.file("sixgate.key");
    const auto read = [&file] { store::read_key(file); };
    const auto make = [&file] { store::read_or_make_key(file); };
    SUBCASE("missing") {
        CHECK(trouble_with(read).starts_with(file + ": "));
        CHECK_FALSE(std::filesystem::exists(file));
    }
    SUBCASE("short") {
        write_file(file, std::string(15, 'k'));
        CHECK(trouble_with(read) == file + ": is too short for a key: at least 16 octets");
        CHECK(trouble_with(make) == trouble_with(read)); // and is not replaced
    }
    SUBCASE("unreadable") {
        std::filesystem::create_directory(file);
        CHECK(trouble_with(read).starts_with(file + ": "));
        CHECK(trouble_with(make).starts_with(file + ": "));
    }
    SUBCASE("in a folder that is not there") {
        const std::string nowhere = folder.file("nowhere/sixgate.key");
        CHECK(trouble_with([&] { store::read_or_make_key(nowhere); }).starts_with(nowhere));
    }
}
