#include "milter/store/journal_writer.hpp"
#include "tests/store/entry_makers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using Cases = std::vector<std::string>;

// What the store does, and what was done to it. Outlives its stores: the writer opens it anew
// after trouble.
class Script {
public:
    explicit Script(std::uint64_t kept = 0) : kept_{kept} {} // entries from before

    void set_trouble(const std::string& what) {
        const std::lock_guard lock{mutex_};
        trouble_ = what;
    }

    void set_trouble_with_opening(const std::string& what) {
        const std::lock_guard lock{mutex_};
        trouble_with_opening_ = what;
    }

    void set_trouble_with_preparing(const std::string& what) {
        const std::lock_guard lock{mutex_};
        trouble_with_preparing_ = what;
    }

    void set_trouble_with_trimming(const std::string& what) {
        const std::lock_guard lock{mutex_};
        trouble_with_trimming_ = what;
    }

    void hold() {
        const std::lock_guard lock{mutex_};
        is_held_ = true;
    }

    void release() {
        const std::lock_guard lock{mutex_};
        is_held_ = false;
        changes_.notify_all();
    }

    void await_append(int count) {
        std::unique_lock lock{mutex_};
        changes_.wait(lock, [&] { return appends_ >= count; });
    }

    void await_told(std::size_t count) {
        std::unique_lock lock{mutex_};
        changes_.wait(lock, [&] { return told_.size() >= count; });
    }

    void await_trims(std::size_t count) {
        std::unique_lock lock{mutex_};
        changes_.wait(lock, [&] { return trims_.size() >= count; });
    }

    void await_written(std::size_t count) {
        std::unique_lock lock{mutex_};
        changes_.wait(lock, [&] { return written_.size() >= count; });
    }

    Cases written() const {
        const std::lock_guard lock{mutex_};
        return written_;
    }

    std::uint64_t most_kept() const {
        const std::lock_guard lock{mutex_};
        return most_kept_;
    }

    std::vector<store::JournalHealth> told() const {
        const std::lock_guard lock{mutex_};
        return told_;
    }

    std::vector<store::Bounds> trims() const {
        const std::lock_guard lock{mutex_};
        return trims_;
    }

    // What the writer calls.

    void open() {
        const std::lock_guard lock{mutex_};
        throw_if(trouble_with_opening_);
    }

    void prepare(policy::JournalEntry& entry) {
        const std::lock_guard lock{mutex_};
        throw_if(trouble_with_preparing_);
        entry.host = "prepared ";
    }

    void append(std::span<const policy::JournalEntry> entries) {
        std::unique_lock lock{mutex_};
        ++appends_;
        changes_.notify_all();
        changes_.wait(lock, [this] { return !is_held_; });
        throw_if(trouble_);
        for (const auto& entry : entries) {
            written_.push_back(entry.host + entry.case_id);
        }
        kept_ += entries.size();
        most_kept_ = std::max(most_kept_, kept_);
        changes_.notify_all();
    }

    store::Store::Trimmed trim(const store::Bounds& bounds) {
        const std::lock_guard lock{mutex_};
        trims_.push_back(bounds);
        changes_.notify_all();
        throw_if(trouble_with_trimming_);
        const auto too_many = kept_ - std::min(kept_, bounds.most);
        const auto trimmed = std::min<std::uint64_t>(too_many, 1'000);
        kept_ -= trimmed;
        return {trimmed, trimmed < too_many};
    }

    bool trim_rest() {
        const std::lock_guard lock{mutex_};
        ++trims_of_rest_;
        changes_.notify_all();
        throw_if(trouble_with_rest_);
        return trims_of_rest_ < trims_needed_;
    }

    void set_trims_needed(int count) {
        const std::lock_guard lock{mutex_};
        trims_needed_ = count;
    }

    int trims_of_rest() const {
        const std::lock_guard lock{mutex_};
        return trims_of_rest_;
    }

    void await_trims_of_rest(int count) {
        std::unique_lock lock{mutex_};
        changes_.wait(lock, [&] { return trims_of_rest_ >= count; });
    }

    void set_trouble_with_rest(const std::string& what) {
        const std::lock_guard lock{mutex_};
        trouble_with_rest_ = what;
    }

    void tell(const store::JournalHealth& health) {
        const std::lock_guard lock{mutex_};
        told_.push_back(health);
        changes_.notify_all();
    }

private:
    static void throw_if(const std::string& trouble) {
        if (!trouble.empty()) {
            throw store::StoreError{trouble};
        }
    }

    mutable std::mutex mutex_; // guards all
    std::condition_variable changes_;
    std::string trouble_;
    std::string trouble_with_opening_;
    std::string trouble_with_preparing_;
    std::string trouble_with_trimming_;
    std::string trouble_with_rest_;
    int trims_of_rest_ = 0;
    int trims_needed_ = 0;
    bool is_held_ = false;
    std::uint64_t kept_;
    std::uint64_t most_kept_ = 0;
    int appends_ = 0;
    Cases written_;
    std::vector<store::JournalHealth> told_;
    std::vector<store::Bounds> trims_;
};

class FakeStore final : public store::Store {
public:
    explicit FakeStore(Script& script) : script_{script} {}

    void append(std::span<const policy::JournalEntry> entries) override { script_.append(entries); }

    Position end() override { return 0; }

    Reading read(const store::Filter&, Position position, const Visit&) override {
        return {position, {}};
    }

    std::uint64_t count(const store::Filter&) override { return 0; }

    Trimmed trim(const store::Bounds& bounds) override { return script_.trim(bounds); }

    Forgotten forget(const Predicate&) override { return {}; }

private:
    Script& script_;
};

store::JournalTarget open(Script& script) {
    script.open();
    return {std::make_unique<FakeStore>(script),
            [&script](policy::JournalEntry& entry) { script.prepare(entry); },
            [&script] { return script.trim_rest(); }};
}

constexpr store::JournalLimits hasty{.collect = 0ms, .retry = 1ms, .trim = 1h};

struct Journal {
    explicit Journal(store::JournalLimits limits = hasty, std::uint64_t kept = 0)
        : script{kept}, writer{[this] { return open(script); },
                               [] {
                                   return store::Bounds{tests::noon, 7};
                               },
                               [this](const store::JournalHealth& health) { script.tell(health); },
                               limits} {}

    Script script;
    store::JournalWriter writer; // last: it uses the script
};

Cases written_cases(int count) {
    Cases cases;
    for (int i = 0; i < count; ++i) {
        cases.push_back("prepared " + std::to_string(i));
    }
    return cases;
}

void write(store::JournalWriter& writer, int first, int last) {
    for (int i = first; i < last; ++i) {
        writer.write(tests::entry(std::to_string(i)));
    }
}

} // namespace

TEST_CASE("what is written is stored in order, prepared") {
    Journal journal;
    write(journal.writer, 0, 100);
    journal.script.await_written(100);
    CHECK(journal.script.written() == written_cases(100));
    journal.writer.close();
    CHECK(journal.writer.health().written == 100);
    CHECK(journal.writer.health().waiting == 0);
    CHECK(journal.script.told().empty());
}

TEST_CASE("nobody waits for a slow store") {
    Journal journal;
    journal.script.hold();
    write(journal.writer, 0, 1);
    journal.script.await_append(1);
    write(journal.writer, 1, 100); // returns, and the store has not
    CHECK(journal.writer.health().waiting == 100);
    CHECK(journal.script.written().empty());
    journal.script.release();
    journal.writer.close();
    CHECK(journal.script.written() == written_cases(100));
    CHECK(journal.script.told().empty());
}

TEST_CASE("trouble is told once, and nothing is lost by it") {
    Journal journal;
    journal.script.set_trouble("the disk is full");
    write(journal.writer, 0, 10);
    journal.script.await_append(3);
    write(journal.writer, 10, 20);
    journal.script.await_append(6);
    CHECK(journal.writer.health().trouble == "the disk is full");
    REQUIRE(journal.script.told().size() == 1);
    CHECK(journal.script.told().front().trouble == "the disk is full");

    journal.script.set_trouble("");
    journal.script.await_told(2);
    CHECK(journal.script.told().back().trouble.empty());
    write(journal.writer, 20, 30);
    journal.writer.close();
    CHECK(journal.script.written() == written_cases(30));
    CHECK(journal.writer.health().dropped == 0);
    CHECK(journal.script.told().size() == 2);
}

TEST_CASE("trouble that comes again is told again") {
    Journal journal;
    for (std::size_t i = 0; i < 3; ++i) {
        journal.script.set_trouble("away");
        write(journal.writer, static_cast<int>(i), static_cast<int>(i) + 1);
        journal.script.await_told(2 * i + 1);
        journal.script.set_trouble("");
        journal.script.await_told(2 * i + 2);
    }
    journal.writer.close();
    CHECK(journal.script.written() == written_cases(3));
}

TEST_CASE("a store that cannot be opened is told of before there is mail") {
    Script script;
    script.set_trouble_with_opening("no such folder");
    store::JournalWriter writer{[&] { return open(script); },
                                [] { return store::Bounds{}; },
                                [&](const store::JournalHealth& health) { script.tell(health); },
                                hasty};
    script.await_told(1);
    CHECK(script.told().front().trouble == "no such folder");
    write(writer, 0, 5);
    script.set_trouble_with_opening("");
    script.await_told(2);
    writer.close();
    CHECK(script.written() == written_cases(5));
}

TEST_CASE("what there is no room for is dropped and counted") {
    store::JournalLimits limits = hasty;
    limits.queue_octets = 20 * sizeof(policy::JournalEntry);
    Journal journal{limits};
    journal.script.hold();
    write(journal.writer, 0, 1);
    journal.script.await_append(1);
    write(journal.writer, 1, 100);
    const store::JournalHealth health = journal.writer.health();
    CHECK(health.waiting > 5);
    CHECK(health.waiting < 20);
    CHECK(health.waiting + health.dropped == 100);

    journal.script.release();
    const auto kept = static_cast<int>(health.waiting);
    journal.script.await_written(health.waiting);
    CHECK(journal.script.written() == written_cases(kept));
    journal.writer.close();
    CHECK(journal.writer.health().written == health.waiting);
    CHECK(journal.writer.health().dropped == health.dropped);
}

TEST_CASE("an entry without end is no way to fill the memory") {
    using policy::Evidence;
    const std::string large(100'000, 'x');
    const std::vector<std::function<void(Evidence & evidence)>> ways{
        [&](Evidence& evidence) { evidence.helo = large; },
        [&](Evidence& evidence) { evidence.mail_from = large; },
        [&](Evidence& evidence) { evidence.mail_from_domain = large; },
        [&](Evidence& evidence) { evidence.recipients.assign(10, std::string(10'000, 'x')); },
        [&](Evidence& evidence) { evidence.iprev->names.front().name = large; },
        [&](Evidence& evidence) {
            evidence.iprev->names.front().addresses.assign(7'000, policy::Address{});
        },
        [&](Evidence& evidence) { evidence.spf_mail_from->domain = large; },
        [&](Evidence& evidence) { evidence.spf_mail_from->mechanism = large; },
        [&](Evidence& evidence) { evidence.spf_helo->problem = large; },
        [&](Evidence& evidence) { evidence.spf_helo->explanation = large; },
        [&](Evidence& evidence) { evidence.dkim->front().sdid = large; },
        [&](Evidence& evidence) { evidence.dkim->front().auid = large; },
        [&](Evidence& evidence) { evidence.dkim->front().selector = large; },
        [&](Evidence& evidence) { evidence.dkim->front().algorithm = large; },
        [&](Evidence& evidence) { evidence.dkim->front().signature = large; },
        [&](Evidence& evidence) { evidence.dkim->front().problem = large; },
        [&](Evidence& evidence) { evidence.dkim->resize(1'000); }};
    store::JournalLimits limits = hasty;
    limits.queue_octets = 100'000;
    Journal journal{limits};
    std::size_t tried = 0;
    for (const auto& make_large : ways) {
        policy::JournalEntry entry = tests::entry("large");
        make_large(entry.evidence);
        journal.writer.write(entry);
        CHECK(journal.writer.health().dropped == ++tried);
    }
}

TEST_CASE("there is room again after trouble") {
    store::JournalLimits limits = hasty;
    limits.queue_octets = 20 * sizeof(policy::JournalEntry);
    Journal journal{limits};
    journal.script.set_trouble("away");
    write(journal.writer, 0, 100);
    journal.script.await_append(2);
    const auto dropped = journal.writer.health().dropped;
    CHECK(dropped > 0);
    journal.script.set_trouble("");
    journal.script.await_told(2);
    write(journal.writer, 100, 105);
    journal.writer.close();
    CHECK(journal.writer.health().dropped == dropped);
    CHECK(journal.script.written().size() == 105 - dropped);
}

TEST_CASE("closing writes what waits") {
    store::JournalLimits limits = hasty;
    limits.collect = std::chrono::hours{1};
    Journal journal{limits};
    write(journal.writer, 0, 10);
    journal.writer.close();
    CHECK(journal.script.written() == written_cases(10));
    journal.writer.close();
}

TEST_CASE("closing does not wait for a store in trouble") {
    store::JournalLimits limits = hasty;
    limits.retry = std::chrono::hours{1};
    Journal journal{limits};
    journal.script.set_trouble("away");
    write(journal.writer, 0, 10);
    journal.script.await_told(1);
    journal.writer.close();
    CHECK(journal.script.written().empty());
    CHECK(journal.writer.health().waiting == 10);
    CHECK(journal.script.told().size() == 1);
}

TEST_CASE("what is written after the end is dropped") {
    Journal journal;
    journal.writer.close();
    write(journal.writer, 0, 3);
    CHECK(journal.writer.health().dropped == 3);
    CHECK(journal.script.written().empty());
}

TEST_CASE("the store is trimmed, mail or no mail, until nothing is left to trim") {
    Journal journal{hasty, 2'507};
    journal.script.await_trims(3);
    journal.writer.close();
    CHECK(journal.script.trims().size() == 3);
    CHECK(journal.script.trims().front().most == 7);
    CHECK(journal.script.trims().front().oldest == tests::noon);
    CHECK(journal.script.told().empty());
}

TEST_CASE("the store is trimmed again and again") {
    store::JournalLimits limits = hasty;
    limits.trim = std::chrono::seconds{0};
    Journal journal{limits};
    journal.script.await_trims(5);
}

TEST_CASE("what is more than can be trimmed in one turn goes in the next ones") {
    Journal journal{hasty, 100'007};
    journal.script.await_trims(100);
    journal.writer.close();
    CHECK(journal.script.trims().size() == 100);
}

TEST_CASE("however much comes, there are not many more than there may be") {
    Journal journal; // which has the next trim in an hour
    constexpr int at_once = 500;
    for (int last = at_once; last <= 20'000; last += at_once) {
        write(journal.writer, last - at_once, last);
        journal.script.await_written(static_cast<std::size_t>(last));
    }
    journal.writer.close();
    CHECK(journal.script.written().size() == 20'000);
    CHECK(journal.script.most_kept() <= 7 + 1'000 + at_once);
}

TEST_CASE("trouble with trimming is told once, and is over when trimming works") {
    store::JournalLimits limits = hasty;
    limits.trim = std::chrono::seconds{0};
    Journal journal{limits};
    journal.script.set_trouble_with_trimming("away");
    journal.script.await_told(1);
    write(journal.writer, 0, 10);
    journal.script.await_written(10); // which works
    journal.script.await_trims(journal.script.trims().size() + 3);
    CHECK(journal.script.told().size() == 1);
    CHECK(journal.script.told().front().trouble == "away");
    CHECK(journal.writer.health().trouble == "away");
    journal.script.set_trouble_with_trimming("");
    journal.script.await_told(2);
    CHECK(journal.script.told().back().trouble.empty());
}

TEST_CASE("a store that takes no entries is trimmed, so that it may have room again") {
    Journal journal; // which has the next trim in an hour
    journal.script.await_trims(1);
    journal.script.set_trouble("full");
    write(journal.writer, 0, 10);
    journal.script.await_trims(2);
    journal.script.set_trouble_with_trimming("away");
    journal.script.await_told(1);
    CHECK(journal.script.told().front().trouble == "full");
    journal.script.set_trouble_with_trimming("");
    journal.script.set_trouble("");
    journal.script.await_written(10);
    CHECK(journal.script.written() == written_cases(10));
}

TEST_CASE("trouble with preparing entries takes nothing of them") {
    Journal journal;
    journal.script.set_trouble_with_preparing("no memory");
    write(journal.writer, 0, 10);
    journal.script.await_told(1);
    journal.script.set_trouble_with_preparing("");
    journal.script.await_written(10);
    CHECK(journal.script.written() == written_cases(10));
}

TEST_CASE("what else is in the store is trimmed some at a time, between entries") {
    Script script;
    script.set_trims_needed(3);
    store::JournalWriter writer{[&] { return open(script); },
                                [] { return store::Bounds{}; },
                                [&](const store::JournalHealth& health) { script.tell(health); },
                                hasty};
    for (int i = 1; i <= 5; ++i) {
        write(writer, i - 1, i);
        script.await_written(static_cast<std::size_t>(i));
    }
    writer.close();
    CHECK(script.trims_of_rest() == 3);
}

TEST_CASE("what else is in the store is trimmed, too, and trouble with that is told once") {
    Script script;
    script.set_trouble_with_rest("full");
    store::JournalLimits limits = hasty;
    limits.trim_rest = 0min;
    store::JournalWriter writer{[&] { return open(script); },
                                [] { return store::Bounds{}; },
                                [&](const store::JournalHealth& health) { script.tell(health); },
                                limits};
    script.await_trims_of_rest(3);
    write(writer, 0, 5);
    script.await_written(5);
    CHECK(script.told().size() == 1);
    CHECK(script.told().front().trouble == "full");
    script.set_trouble_with_rest("");
    script.await_told(2);
    write(writer, 5, 6);
    writer.close();
    CHECK(script.written() == written_cases(6));
}
