// What a session does with the grace ledger and the fallback watch.
#include "milter/shared_state.hpp"
#include "milter/since.hpp"
#include "milter/store/sqlite_fallback.hpp"
#include "milter/store/sqlite_grace.hpp"
#include "tests/milter/session_scene.hpp"
#include "tests/store/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using milter::Answer;
using policy::Mode;
using policy::RecoveryKind;
using tests::bad_client;
using tests::good_client;
using tests::Scene;

namespace {

// With both, in a file.
struct SharedScene : Scene {
    explicit SharedScene(Mode mode = Mode::soft) : Scene{mode} {
        services.grace = &grace;
        services.fallback = &fallback;
        config.milter.authserv_id.clear(); // nothing else wants to see what comes over IPv4
        apply();
        while (fallback.has_open()) { // until it has read that nothing is
            std::this_thread::sleep_for(1ms);
        }
    }

    void allow(std::uint64_t attempts) {
        config.policy.stages.front().grace = policy::Grace{attempts, 1min, {}};
        apply();
    }

    // Once, so long ago that the time of allow() is over.
    void refused_before(const std::string& network) {
        grace.count(
            {policy::Address::parse(network).value(), "example.org"}, milter::now() - 2min, 1min);
    }

    // One message on a connection of its own; "accepted at connect" where nobody looks at it.
    std::string answer_to(const std::string& client,
                          const std::string& mail_from = "<user@example.org>",
                          const std::string& recipient = "<someone@example.net>",
                          const std::string& message_id = " <1@example.org>") {
        mta.reply.reset();
        own.emplace(services, mta, tests::silent);
        if (own->connect(policy::Address::parse(client)) != Answer::proceed) {
            return "accepted at connect";
        }
        own->helo("mail.example.org");
        own->mail(mail_from);
        own->rcpt(recipient);
        own->header("From", " user@example.org");
        own->header("Message-ID", message_id);
        own->end_of_header();
        own->end_of_message();
        return mta.reply ? mta.reply->code.to_string() : "goes on";
    }

    std::vector<std::string> fates() {
        fallback.close();
        std::vector<std::string> found;
        store::SqliteFallbackLedger{file, store::Access::read}.read(
            policy::Time{}, [&](const store::FallbackEntry& entry) {
                const auto& recovery = entry.refusal.recovery;
                found.emplace_back(recovery ? to_string(recovery->kind) : "open");
            });
        return found;
    }

    std::optional<milter::Session> own; // the last connection
    tests::TemporaryFolder folder;
    std::string file = folder.file("sixgate.db");
    store::GraceService grace{
        [this] { return std::make_unique<store::SqliteGraceLedger>(file, store::Access::write); },
        [] { return policy::Time{}; },
        [](const store::GraceHealth&) {},
        {.patience = 10s}};
    std::atomic<bool> has_broken_watch{false}; // for sessions
    store::FallbackWatch fallback{
        {[] { return "0123456789abcdef"; },
         [this] {
             return std::make_unique<store::SqliteFallbackLedger>(file, store::Access::write);
         }},
        [this] {
            if (has_broken_watch && std::this_thread::get_id() == thread) {
                throw std::runtime_error{"broken"};
            }
            return policy::Time{};
        },
        [](const store::WatchHealth&) {}};
    std::thread::id thread = std::this_thread::get_id();
};

} // namespace

TEST_CASE("session: a sender that does not mend is refused in the end") {
    SharedScene scene;
    scene.allow(2);
    scene.refused_before("2001:db8:bad::");
    CHECK(scene.answer_to(bad_client) == "450 4.7.25");
    CHECK(scene.own->evidence().grace->refusals == 1);
    CHECK_FALSE(scene.own->outcome()->reply->lines[1].starts_with("Unless")); // the date is past
    CHECK(scene.answer_to("2001:db8:bad::2") == "550 5.7.25");                // of the same /64
    CHECK(scene.own->outcome()->verdict.mode == Mode::enforce);
    CHECK(scene.answer_to("2001:db8:bad:1::1") == "450 4.7.25"); // somebody else
    CHECK(scene.own->evidence().grace->refusals == 0);
    CHECK(scene.own->outcome()->reply->lines[1].starts_with("Unless this is mended"));
    CHECK(scene.answer_to(good_client) == "goes on");
    CHECK_FALSE(scene.own->evidence().grace);
    CHECK(scene.grace.health().counted == 4);
}

TEST_CASE("session: only what the ledger has a say in is counted") {
    SharedScene scene;
    scene.config.policy.probe_recipients = {{"test", "example.net"}};
    scene.allow(1);
    CHECK(scene.answer_to(bad_client, "<user@example.org>", "<test@example.net>") == "550 5.7.0");
    CHECK(scene.answer_to(bad_client, "<user@example.org>", "<abuse@example.net>") == "goes on");
    scene.resolver->fail(policy::Address::parse(good_client)->reverse_name(),
                         verify::RecordType::ptr,
                         verify::LookupFailure::server_failure);
    CHECK(scene.answer_to(good_client) == "451 4.4.3");
    CHECK(scene.grace.health().counted == 0);
}

TEST_CASE("session: without an answer of the ledger every sender is new, and no date is told") {
    SharedScene scene;
    scene.allow(1);
    scene.grace.close();
    for (int i = 0; i < 3; ++i) {
        CHECK(scene.answer_to(bad_client) == "450 4.7.25");
        CHECK_FALSE(scene.own->evidence().grace);
        CHECK_FALSE(scene.own->outcome()->reply->lines[1].starts_with("Unless"));
    }
    CHECK(scene.grace.health().unanswered == 3);
}

TEST_CASE("session: the HELO name speaks for the null path") {
    SharedScene scene;
    scene.allow(1);
    CHECK(scene.answer_to(bad_client, "<>") == "450 4.7.25");
    CHECK(scene.grace.health().counted == 1);
    std::vector<std::string> domains;
    scene.grace.close();
    store::SqliteGraceLedger{scene.file, store::Access::read}.read(
        [&](const store::GraceKey& key, const store::GraceRecord&) {
            domains.push_back(key.network.to_string() + ' ' + key.domain);
        });
    CHECK(domains == std::vector<std::string>{"2001:db8:bad:: example.org"});
}

TEST_CASE("session: IPv4 is looked at while something is open, and never judged") {
    SharedScene scene;
    CHECK(scene.answer_to("192.0.2.1") == "accepted at connect");
    CHECK(scene.answer_to(bad_client) == "450 4.7.25");
    const auto questions = scene.resolver->asked.size();
    CHECK(scene.answer_to("127.0.0.1") == "accepted at connect"); // our own
    CHECK(scene.answer_to("192.0.2.1") == "goes on");
    CHECK(scene.resolver->asked.size() == questions);
    CHECK(scene.mta.inserted.empty());
    CHECK(scene.answer_to("192.0.2.1") == "accepted at connect");
    CHECK(scene.fates() == std::vector<std::string>{"ipv4"});
}

TEST_CASE("session: what comes again over IPv6 ends its entry as it is answered") {
    struct Case {
        const char* name;
        std::string client;
        Mode mode;
        std::string fate;
    };

    const std::vector<Case> cases{
        {"mended", good_client, Mode::soft, "mended"},
        {"mended, enforced by now", good_client, Mode::enforce, "mended"},
        {"put off again", "2001:db8:bad:7::1", Mode::soft, "open"},
        {"enforced by now", bad_client, Mode::enforce, "refused"},
        {"milder by now", bad_client, Mode::observe, "let_through"},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            SharedScene scene;
            CHECK(scene.answer_to(bad_client) == "450 4.7.25");
            scene.config.policy.stages.front().mode = c.mode;
            scene.apply();
            scene.answer_to(c.client);
            CHECK(scene.fates() == std::vector<std::string>{c.fate});
        }
    }
}

TEST_CASE("session: trouble in the watch holds up no mail") {
    SharedScene scene;
    CHECK(scene.answer_to(bad_client) == "450 4.7.25");
    scene.has_broken_watch = true;
    CHECK(scene.answer_to("192.0.2.1") == "goes on");
    CHECK(scene.answer_to(good_client) == "goes on");
    CHECK_FALSE(scene.mta.inserted.empty());
    scene.has_broken_watch = false;
    CHECK(scene.fates() == std::vector<std::string>{"open"});
}

TEST_CASE("session: what a temporary error alone puts off is not watched for") {
    SharedScene scene;
    scene.resolver->fail(policy::Address::parse(good_client)->reverse_name(),
                         verify::RecordType::ptr,
                         verify::LookupFailure::server_failure);
    CHECK(scene.answer_to(good_client) == "451 4.4.3");
    CHECK(scene.answer_to("192.0.2.1") == "accepted at connect");
    CHECK(scene.fates().empty());
}

TEST_CASE("session: who never comes to the end of the message has not been here") {
    SharedScene scene;
    CHECK(scene.answer_to(bad_client) == "450 4.7.25");
    milter::Session session{scene.services, scene.mta, tests::silent};
    session.connect(policy::Address::parse("192.0.2.1"));
    session.helo("mail.example.org");
    session.mail("<user@example.org>");
    session.rcpt("<someone@example.net>");
    session.abort(); // a greylister has put it off
    CHECK(scene.fates() == std::vector<std::string>{"open"});
}

TEST_CASE("session: what cannot be told from other messages is not watched for") {
    SharedScene scene;
    CHECK(scene.answer_to(bad_client, "<user@example.org>", "<someone@example.net>", " ") ==
          "450 4.7.25");
    CHECK(scene.fates().empty());
}
