#include "milter/store/fallback_watch.hpp"
#include "milter/store/sqlite_fallback.hpp"
#include "tests/store/fallback_ledger_contract.hpp"
#include "tests/store/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using policy::RecoveryKind;
using store::FallbackWatch;
using Addresses = std::vector<std::string>;

constexpr store::WatchLimits quick{.collect = 1ms, .poll = 5ms};

// Until it is so, or for long.
template <typename Condition>
bool becomes(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!condition() && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(1ms);
    }
    return condition();
}

// Hosts with one store.
struct Fleet {
    std::unique_ptr<FallbackWatch> host(store::WatchLimits limits = quick) {
        return std::make_unique<FallbackWatch>(
            store::FallbackTarget{[] { return "0123456789abcdef"; },
                                  [this] {
                                      if (is_away) {
                                          throw store::StoreError{"gone"};
                                      }
                                      return std::make_unique<store::SqliteFallbackLedger>(
                                          file, store::Access::write);
                                  }},
            [this] { return since.load(); },
            [](const store::WatchHealth&) {},
            limits);
    }

    // Which has read that nothing is open.
    std::unique_ptr<FallbackWatch> idle_host(store::WatchLimits limits = quick) {
        auto watch = host(limits);
        REQUIRE(becomes([&] { return !watch->has_open(); }));
        return watch;
    }

    tests::TemporaryFolder folder{};
    std::string file = folder.file("sixgate.db");
    store::SqliteFallbackLedger ledger{file, store::Access::write};
    std::atomic<bool> is_away{false};
    std::atomic<policy::Time> since{policy::Time{}};
};

// What a session would say. `identity` as of a Message-ID.
struct Message {
    std::string mail_from = "User@example.org";
    Addresses recipients{"someone@example.net"};
    std::string identity = "<1@example.org>";

    store::WatchedMessage watched() const { return {mail_from, recipients, identity}; }
};

void refuse(FallbackWatch& watch, const Message& message, policy::Time at = tests::noon) {
    watch.refused(message.watched(),
                  {.first = at,
                   .reason = policy::Reason::unauthenticated,
                   .stage = "partners",
                   .mail_from_domain = "example.org"});
}

void arrive(FallbackWatch& watch,
            const Message& message,
            RecoveryKind kind = RecoveryKind::ipv4,
            policy::Time at = tests::noon + 90s) {
    watch.arrived(message.watched(), {kind, at});
}

std::vector<policy::SoftRefusal> refusals_in(Fleet& fleet) {
    std::vector<policy::SoftRefusal> refusals;
    fleet.ledger.read(policy::Time{}, [&](const store::FallbackEntry& entry) {
        refusals.push_back(entry.refusal);
    });
    return refusals;
}

std::size_t number_ended(Fleet& fleet) {
    const auto refusals = refusals_in(fleet);
    return static_cast<std::size_t>(std::ranges::count_if(
        refusals, [](const auto& refusal) { return refusal.recovery.has_value(); }));
}

// Waits for the hosts to have told and heard everything.
std::size_t ended_after(Fleet& fleet, FallbackWatch& watch) {
    watch.close();
    return number_ended(fleet);
}

} // namespace

TEST_CASE("a message that comes back ends its entry, and no address stands in the store") {
    Fleet fleet;
    const auto watch = fleet.idle_host();
    refuse(*watch, {});
    CHECK(watch->has_open()); // at once: the sender may be back in a millisecond
    arrive(*watch, {});
    CHECK_FALSE(watch->has_open());
    watch->close();
    const auto refusals = refusals_in(fleet);
    REQUIRE(refusals.size() == 1);
    CHECK(refusals[0].recovery == policy::Recovery{RecoveryKind::ipv4, tests::noon + 90s});
    CHECK(refusals[0].first == tests::noon);
    CHECK(refusals[0].stage == "partners");
    CHECK(refusals[0].mail_from.starts_with('~'));
    CHECK(refusals[0].mail_from.ends_with("@example.org"));
    CHECK(refusals[0].recipient.starts_with('~'));
    CHECK(refusals[0].recipient.ends_with("@example.net"));
    CHECK(watch->health().opened == 1);
    CHECK(watch->health().ended == 1);
}

TEST_CASE("the same message is the same envelope and the same identity") {
    struct Case {
        const char* name;
        Message message;
        bool is_same;
    };

    const std::vector<Case> cases{
        {"the same", {}, true},
        {"in another case", {.mail_from = "user@EXAMPLE.org"}, true},
        {"with another recipient beside", {.recipients = {"x@a", "someone@example.net"}}, true},
        {"another message of the newsletter", {.identity = "<2@example.org>"}, false},
        {"the same to somebody else", {.recipients = {"other@example.net"}}, false},
        {"of somebody else", {.mail_from = "other@example.org"}, false},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            Fleet fleet;
            const auto watch = fleet.idle_host();
            refuse(*watch, {});
            arrive(*watch, c.message);
            CHECK(watch->has_open() == !c.is_same);
            CHECK(ended_after(fleet, *watch) == (c.is_same ? 1 : 0));
        }
    }
}

TEST_CASE("each recipient has an entry, and each comes back on its own") {
    Fleet fleet;
    const auto watch = fleet.idle_host();
    refuse(*watch, {.recipients = {"a@example.net", "b@example.net"}});
    arrive(*watch, {.recipients = {"b@example.net"}});
    CHECK(watch->has_open());
    CHECK(ended_after(fleet, *watch) == 1);
    CHECK(refusals_in(fleet).size() == 2);
}

TEST_CASE("a message that is refused again has one entry, with the time of the first") {
    Fleet fleet;
    const auto watch = fleet.host();
    refuse(*watch, {});
    refuse(*watch, {}, tests::noon + 1h);
    arrive(*watch, {}, RecoveryKind::mended, tests::noon + 2h);
    watch->close();
    const auto refusals = refusals_in(fleet);
    REQUIRE(refusals.size() == 1);
    CHECK(refusals[0].attempts == 2);
    CHECK(refusals[0].first == tests::noon);
    CHECK(refusals[0].recovery == policy::Recovery{RecoveryKind::mended, tests::noon + 2h});
}

TEST_CASE("what one host refuses is ended by another, also before that has heard of it") {
    Fleet fleet;
    const auto one = fleet.idle_host();
    const auto other = fleet.idle_host({.collect = 1ms, .poll = 200ms});
    refuse(*one, {.identity = "<0@example.org>"}); // stays open
    REQUIRE(becomes([&] { return other->has_open(); }));
    refuse(*one, {});
    arrive(*other, {}, RecoveryKind::ipv4, tests::noon); // it falls back in a millisecond
    CHECK(becomes([&] { return number_ended(fleet) == 1; }));
    arrive(*other, {.identity = "<0@example.org>"});
    CHECK(becomes([&] { return number_ended(fleet) == 2; }));
    CHECK(becomes([&] { return !one->has_open(); })); // and the first host hears of it
    CHECK_FALSE(other->has_open());
}

TEST_CASE("what arrived before it was refused elsewhere is another copy") {
    Fleet fleet;
    const auto one = fleet.idle_host();
    const auto other = fleet.idle_host();
    refuse(*one, {.identity = "<0@example.org>"});
    REQUIRE(becomes([&] { return other->has_open(); }));
    arrive(*other, {}, RecoveryKind::ipv4, tests::noon - 10s);
    refuse(*one, {});
    arrive(*other, {.identity = "<0@example.org>"}); // for this the other host has heard of both
    REQUIRE(becomes([&] { return number_ended(fleet) == 1; }));
    CHECK(becomes([&] { return other->has_open(); }));
    other->close();
    CHECK(number_ended(fleet) == 1);
}

TEST_CASE("entries outlive the process, and those that are too old are not watched for") {
    Fleet fleet;
    {
        const auto watch = fleet.host();
        refuse(*watch, {}, tests::noon);
        refuse(*watch, {.identity = "<old@example.org>"}, tests::noon - 24h);
    }
    fleet.since = tests::noon - 1h;
    const auto watch = fleet.host();
    arrive(*watch, {.identity = "<old@example.org>"});
    arrive(*watch, {}); // perhaps before it has read what is open
    CHECK(becomes([&] { return number_ended(fleet) == 1; }));
    CHECK(becomes([&] { return !watch->has_open(); }));
    CHECK(ended_after(fleet, *watch) == 1);
}

TEST_CASE("what has become too old is not ended by who comes then") {
    Fleet fleet;
    const auto watch = fleet.idle_host({.collect = 1ms, .poll = 1h}); // and removes nothing itself
    refuse(*watch, {});
    refuse(*watch, {.identity = "<2@example.org>"}, tests::noon + 1h);
    fleet.since = tests::noon + 1h;
    arrive(*watch, {});
    arrive(*watch, {.identity = "<2@example.org>"}, RecoveryKind::ipv4, tests::noon + 2h);
    CHECK(ended_after(fleet, *watch) == 1);
}

TEST_CASE("memory is bounded, and what has no room is counted") {
    Fleet fleet;
    auto limits = quick;
    limits.open = 2;
    const auto watch = fleet.idle_host(limits);
    refuse(*watch, {.recipients = {"a@x", "b@x", "c@x"}});
    refuse(*watch, {.recipients = {"a@x"}}); // is known
    CHECK(watch->health().dropped == 1);
    watch->close();
    CHECK(refusals_in(fleet).size() == 2);
    refuse(*watch, {});
    CHECK(watch->health().dropped == 2);
}

TEST_CASE("one site has no more than its share, and others have theirs") {
    Fleet fleet;
    auto limits = quick;
    limits.of_site = 2;
    const auto watch = fleet.idle_host(limits);
    const auto refuse_from = [&](const std::string& network, const std::string& identity) {
        const Message message{.identity = identity};
        watch->refused(message.watched(),
                       {.first = tests::noon,
                        .reason = policy::Reason::unauthenticated,
                        .network = policy::Address::parse(network).value()});
        return watch->health().dropped;
    };
    CHECK(refuse_from("2001:db8:5:1::", "<1@a>") == 0);
    CHECK(refuse_from("2001:db8:5:2::", "<2@a>") == 0);
    CHECK(refuse_from("2001:db8:5:3::", "<3@a>") == 1);
    CHECK(refuse_from("2001:db8:5:3::", "<2@a>") == 1); // is known
    CHECK(refuse_from("2001:db8:6::", "<3@a>") == 1);
    arrive(*watch, {.identity = "<1@a>"});
    CHECK(refuse_from("2001:db8:5:3::", "<4@a>") == 1);
}

TEST_CASE("long addresses are cut, and what waits is bounded in octets") {
    Fleet fleet;
    auto limits = quick;
    limits.waiting_octets = 5'000;
    fleet.is_away = true;
    const auto watch = fleet.host(limits);
    REQUIRE(becomes([&] { return watch->health().trouble == "gone"; }));
    const std::string long_domain(100'000, 'x');
    refuse(*watch, {.mail_from = "u@" + long_domain, .recipients = {"r@" + long_domain}});
    CHECK(watch->health().waiting == 1);
    for (int i = 0; i < 100; ++i) {
        refuse(*watch, {.identity = std::to_string(i)});
    }
    const auto health = watch->health();
    CHECK(health.waiting > 2);
    CHECK(health.waiting < 25);
    CHECK(health.waiting + health.dropped == 101);
    fleet.is_away = false;
    REQUIRE(becomes([&] { return watch->health().waiting == 0; }));
    refuse(*watch, {.identity = "<there is room again>"});
    CHECK(watch->health().dropped == health.dropped);
    for (const auto& refusal : refusals_in(fleet)) {
        CHECK(refusal.mail_from.size() <= 320);
        CHECK(refusal.recipient.size() <= 320);
    }
}

TEST_CASE("after trouble a host knows what others have ended, and what is open in another store") {
    Fleet fleet;
    const auto watch = fleet.idle_host();
    refuse(*watch, {});
    REQUIRE(becomes([&] { return watch->health().opened == 1; }));
    fleet.is_away = true;
    std::filesystem::rename(fleet.file, fleet.folder.file("aside.db"));
    REQUIRE(becomes([&] { return !watch->health().trouble.empty(); }));
    CHECK(watch->has_open());
    fleet.is_away = false; // and the store is made anew
    CHECK(becomes([&] { return watch->health().trouble.empty() && !watch->has_open(); }));
}

TEST_CASE("a store that is away is waited for, and nobody waits with it") {
    Fleet fleet;
    const auto watch = fleet.idle_host();
    fleet.is_away = true; // for whoever opens it
    std::filesystem::rename(fleet.file, fleet.folder.file("aside.db"));
    refuse(*watch, {});
    REQUIRE(becomes([&] { return watch->health().trouble == "gone"; }));
    refuse(*watch, {.identity = "<2@example.org>"});
    arrive(*watch, {.identity = "<2@example.org>"});
    CHECK(watch->health().waiting == 3);
    std::filesystem::rename(fleet.folder.file("aside.db"), fleet.file);
    fleet.is_away = false;
    REQUIRE(becomes([&] { return watch->health().trouble.empty(); }));
    CHECK(becomes([&] { return number_ended(fleet) == 1; }));
    CHECK(refusals_in(fleet).size() == 2);
    CHECK(watch->health().dropped == 0);
}

TEST_CASE("a store that is away at the start holds up nobody, and forgets nothing of what comes") {
    Fleet fleet;
    fleet.is_away = true;
    const auto watch = fleet.host();
    CHECK(watch->has_open()); // for all that is known
    refuse(*watch, {});
    arrive(*watch, {});
    arrive(*watch, {.identity = "<2@example.org>"});
    fleet.is_away = false;
    CHECK(becomes([&] { return number_ended(fleet) == 1; }));
    CHECK(becomes([&] { return !watch->has_open(); }));
}
