#include "milter/store/grace_service.hpp"
#include "milter/store/sqlite_grace.hpp"
#include "milter/store/store.hpp"
#include "tests/store/grace_ledger_contract.hpp"
#include "tests/store/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using store::GraceHealth;
using store::GraceService;

// A ledger that does as it is told.
struct LedgerScript {
    std::atomic<bool> is_away{false};
    std::atomic<bool> is_slow{false};
    std::atomic<int> opened{0};
    std::atomic<int> asked{0};
    std::atomic<int> trimmed{0};
    std::promise<void> goes_on; // after it was slow
    std::shared_future<void> wait{goes_on.get_future()};
};

class ScriptedLedger final : public store::GraceLedger {
public:
    explicit ScriptedLedger(LedgerScript& script) : script_{script} {}

    std::optional<store::GraceRecord>
    count(const store::GraceKey&, policy::Time time, std::chrono::milliseconds period) override {
        ++script_.asked;
        if (script_.is_slow) {
            script_.wait.wait();
        }
        if (script_.is_away) {
            throw store::StoreError{"gone"};
        }
        return store::GraceRecord{time, time, ++attempts_, time + period};
    }

    std::uint64_t trim(policy::Time) override {
        ++script_.trimmed;
        if (script_.is_away) {
            throw store::StoreError{"gone"};
        }
        return 0;
    }

    void read(const Visit&) override {}

    std::uint64_t forget(const Predicate&) override { return 0; }

private:
    LedgerScript& script_;
    std::uint64_t attempts_ = 0;
};

class TroublesTold {
public:
    void add(const std::string& trouble) {
        const std::lock_guard lock{mutex_};
        troubles_.push_back(trouble);
        arrived_.notify_all();
    }

    // Waits for as many.
    std::vector<std::string> first(std::size_t number) {
        std::unique_lock lock{mutex_};
        arrived_.wait_for(lock, 10s, [&] { return troubles_.size() >= number; });
        return troubles_;
    }

private:
    std::mutex mutex_; // guards troubles_
    std::condition_variable arrived_;
    std::vector<std::string> troubles_;
};

GraceService::Open opens_ledger(LedgerScript& script) {
    return [&script]() -> std::unique_ptr<store::GraceLedger> {
        ++script.opened;
        return std::make_unique<ScriptedLedger>(script);
    };
}

std::optional<std::uint64_t> attempts_of(GraceService& service) {
    const auto record = service.count(tests::grace_key("example.org"), tests::noon, 24h);
    return record ? std::optional{record->attempts} : std::nullopt;
}

policy::Time long_ago() {
    return {};
}

} // namespace

TEST_CASE("a session gets the ledger's answer, and what is unused is trimmed") {
    LedgerScript script;
    TroublesTold told;
    GraceService service{
        opens_ledger(script), long_ago, [&](const auto& h) { told.add(h.trouble); }};
    CHECK(script.opened == 0); // who has no grace has no connection
    CHECK(attempts_of(service) == 1);
    CHECK(attempts_of(service) == 2);
    service.close();
    CHECK(script.opened == 1);
    CHECK(script.trimmed == 1);
    CHECK(service.health().counted == 2);
    CHECK_FALSE(attempts_of(service)); // nor does anybody wait
    CHECK(told.first(0).empty());
}

TEST_CASE("a store that is away costs one look in a pause, and is told of once") {
    LedgerScript script;
    script.is_away = true;
    TroublesTold told;
    GraceService service{opens_ledger(script),
                         long_ago,
                         [&](const auto& h) { told.add(h.trouble); },
                         {.patience = 10s, .pause = 100ms, .calm = 0ms}};
    CHECK_FALSE(attempts_of(service));
    CHECK(told.first(1) == std::vector<std::string>{"gone"});
    const int asked = script.asked;
    CHECK_FALSE(attempts_of(service));
    CHECK(script.asked <= asked + 1); // one more where this machine took longer than the pause
    CHECK(service.health().unanswered == 2);

    script.is_away = false;
    const auto until = std::chrono::steady_clock::now() + 10s;
    std::optional<std::uint64_t> attempts;
    while (!attempts && std::chrono::steady_clock::now() < until) {
        attempts = attempts_of(service);
    }
    CHECK(attempts == 1); // of a ledger that was opened anew
    CHECK(told.first(2) == std::vector<std::string>{"gone", ""});
}

TEST_CASE("a store that is slow keeps a session for no longer than its patience, and is told of") {
    LedgerScript script;
    script.is_slow = true;
    TroublesTold told;
    GraceService service{opens_ledger(script),
                         long_ago,
                         [&](const auto& h) { told.add(h.trouble); },
                         {.patience = 20ms, .pause = 1h}};
    CHECK_FALSE(attempts_of(service));
    CHECK_FALSE(attempts_of(service));
    CHECK(script.asked == 1); // nobody else waits
    CHECK(service.health().unanswered == 2);
    script.goes_on.set_value();
    CHECK(told.first(1) == std::vector<std::string>{"does not answer within 20 ms"});
    service.close();
    CHECK(service.health().unanswered == 2);
    CHECK(service.health().counted == 1); // for the next message
    CHECK(script.opened == 1);            // the connection is sound
}

TEST_CASE("a store that is slow by turns is told of once, until it has been well for a while") {
    LedgerScript script;
    script.is_slow = true;
    TroublesTold told;
    GraceService service{opens_ledger(script),
                         long_ago,
                         [&](const auto& h) { told.add(h.trouble); },
                         {.patience = 1s, .pause = 1ms, .calm = 1h}};
    CHECK_FALSE(attempts_of(service));
    script.is_slow = false;
    script.goes_on.set_value();
    CHECK(told.first(1).size() == 1);
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!attempts_of(service) && std::chrono::steady_clock::now() < until) {
    }
    CHECK(attempts_of(service));
    service.close();
    CHECK(told.first(1).size() == 1);
    CHECK(service.health().trouble == "does not answer within 1000 ms");
}

TEST_CASE("what is unused is trimmed where nobody counts any more") {
    LedgerScript script;
    script.is_away = true; // which is nobody's trouble
    TroublesTold told;
    {
        const GraceService service{opens_ledger(script),
                                   long_ago,
                                   [&](const auto& h) { told.add(h.trouble); },
                                   {.trim = 10ms}};
        const auto until = std::chrono::steady_clock::now() + 10s;
        while (script.trimmed < 2 && std::chrono::steady_clock::now() < until) {
            std::this_thread::yield();
        }
        CHECK(script.trimmed >= 2);
    }
    CHECK(told.first(0).empty());
}

TEST_CASE("sessions that ask at once all get another number") {
    const tests::TemporaryFolder folder;
    GraceService service{[&] {
                             return std::make_unique<store::SqliteGraceLedger>(
                                 folder.file("sixgate.db"), store::Access::write);
                         },
                         long_ago,
                         [](const GraceHealth&) {},
                         {.patience = 60s}};
    std::set<std::uint64_t> seen;
    std::mutex mutex;
    {
        std::vector<std::jthread> threads;
        threads.reserve(8);
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&] {
                for (int j = 0; j < 10; ++j) {
                    const auto attempts = attempts_of(service);
                    const std::lock_guard lock{mutex};
                    seen.insert(attempts.value_or(0));
                }
            });
        }
    }
    CHECK(seen.size() == 80);
    CHECK(*seen.rbegin() == 80);
}
