#include "milter/store/redis_fallback.hpp"

#include "milter/store/redis_index.hpp"
#include "milter/store/redis_ledger_scripts.hpp"
#include "milter/store/redis_scripts.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace store {

namespace {

constexpr RedisIndex fallback_index{redis::fallback_key,
                                    redis::fallback_first_key,
                                    {},
                                    redis::fallback_change_key,
                                    redis::fallback_ended_key};

// At a time, for the server serves nobody else meanwhile.
constexpr std::size_t entries_at_once = 500;

std::string member_of(const Fingerprint& fingerprint) {
    return {fingerprint.begin(), fingerprint.end()};
}

Fingerprint fingerprint_in(std::string_view member) {
    Fingerprint fingerprint{};
    if (member.size() == fingerprint.size()) {
        std::ranges::transform(
            member, fingerprint.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
    }
    return fingerprint;
}

// As open_fallback has it.
std::vector<std::string> words_of(const FallbackEntry& entry) {
    const policy::SoftRefusal& refusal = entry.refusal;
    return {member_of(entry.fingerprint),
            redis::milliseconds_of(refusal.first),
            std::to_string(refusal.attempts),
            std::string{to_string(refusal.reason)},
            refusal.stage,
            refusal.mail_from,
            refusal.mail_from_domain,
            refusal.recipient,
            redis::octets_of(refusal.network)};
}

// As end_fallback has it.
std::vector<std::string> words_of(const FallbackEnd& end) {
    return {member_of(end.fingerprint),
            std::string{to_string(end.recovery.kind)},
            redis::milliseconds_of(end.recovery.time)};
}

// A reason of a later version reads as the last one that this one knows.
FallbackEntry entry_in(std::string_view member, const redis::Record& record) {
    FallbackEntry entry;
    entry.fingerprint = fingerprint_in(member);
    policy::SoftRefusal& refusal = entry.refusal;
    refusal.first = redis::time_in(record, "first");
    refusal.attempts = static_cast<std::uint64_t>(redis::number_in(record, "attempts"));
    refusal.reason =
        policy::reason_from(redis::text_in(record, "reason")).value_or(policy::Reason::closed);
    refusal.stage = redis::text_in(record, "stage");
    refusal.mail_from = redis::text_in(record, "mail_from");
    refusal.mail_from_domain = redis::text_in(record, "mail_from_domain");
    refusal.recipient = redis::text_in(record, "recipient");
    refusal.network = redis::address_from(redis::text_in(record, "network"));
    if (const auto kind = policy::recovery_kind_from(redis::text_in(record, "recovery"))) {
        refusal.recovery = policy::Recovery{*kind, redis::time_in(record, "recovered")};
    }
    return entry;
}

// `first_words` and those of the items, some items at a time, go to `run`.
template <typename Item, typename Run>
void in_batches(std::span<const Item> items, const RedisDatabase::Words& first_words, Run run) {
    while (!items.empty()) {
        const auto batch = items.first(std::min(items.size(), entries_at_once));
        std::vector<std::string> texts;
        for (const Item& item : batch) {
            std::ranges::move(words_of(item), std::back_inserter(texts));
        }
        RedisDatabase::Words words = first_words;
        words.insert(words.end(), texts.begin(), texts.end());
        run(words);
        items = items.subspan(batch.size());
    }
}

} // namespace

RedisFallbackLedger::RedisFallbackLedger(RedisAccess server,
                                         const std::string& hash_key,
                                         Access access,
                                         const FallbackLimits& limits)
    : limits_{limits}, database_{std::move(server), hash_key, access} {}

std::uint64_t RedisFallbackLedger::open(std::span<const FallbackEntry> entries,
                                        policy::Time settled) {
    const std::string most = std::to_string(limits_.most);
    const std::string before = '(' + redis::milliseconds_of(settled);
    std::uint64_t without_room = 0;
    in_batches(
        entries, {redis::fallback_key, most, before}, [&](const RedisDatabase::Words& words) {
            const auto reply = database_.run(redis::open_fallback,
                                             {redis::fallback_first_key,
                                              redis::fallback_change_key,
                                              redis::fallback_ended_key,
                                              redis::about_key},
                                             words);
            without_room += static_cast<std::uint64_t>(reply.number);
        });
    return without_room;
}

void RedisFallbackLedger::end(std::span<const FallbackEnd> ends) {
    in_batches(ends, {redis::fallback_key}, [&](const RedisDatabase::Words& words) {
        database_.run(redis::end_fallback,
                      {redis::fallback_change_key, redis::fallback_ended_key, redis::about_key},
                      words);
    });
}

FallbackLedger::Changes RedisFallbackLedger::open_entries(policy::Time since, std::size_t most) {
    Changes open;
    // What comes meanwhile is seen twice.
    const auto last = database_.call({"HGET", redis::about_key, "changes"});
    open.position = redis::number_in({{"changes", last.text.value_or("0")}}, "changes");
    const std::string least = redis::milliseconds_of(since);
    const std::string count = std::to_string(entries_at_once);
    auto looked_at = static_cast<std::int64_t>(entries_at_once);
    for (std::size_t rank = 0; looked_at == static_cast<std::int64_t>(entries_at_once);
         rank += entries_at_once) {
        const std::string from = std::to_string(rank);
        const auto page = database_.ask(redis::latest_fallback,
                                        {redis::fallback_first_key},
                                        {redis::fallback_key, least, from, count});
        database_.require(page.items.size() == 2);
        looked_at = page.items[0].number;
        for (const auto& item : page.items[1].items) {
            database_.require(item.items.size() == 3);
            if (open.changes.size() == most) {
                return open;
            }
            open.changes.push_back({fingerprint_in(item.items[0].text.value_or("")),
                                    redis::time_from(item.items[1].text.value_or("")),
                                    true,
                                    redis::address_from(item.items[2].text.value_or(""))});
        }
    }
    return open;
}

FallbackLedger::Changes RedisFallbackLedger::changes_after(Position position, std::size_t most) {
    const std::string after = std::to_string(position);
    const std::string count = std::to_string(std::min(most, entries_at_once));
    const auto reply = database_.ask(redis::changed_fallback,
                                     {redis::fallback_change_key, redis::about_key},
                                     {redis::fallback_key, after, count});
    database_.require(reply.items.size() == 2);
    if (reply.items[0].number < position) {
        database_.fail("has lost what was written to it last: what is open is read anew");
    }
    Changes found{position, {}};
    for (const auto& item : reply.items[1].items) {
        database_.require(item.items.size() == 5);
        found.position = redis::number_in({{"number", item.items[0].text.value_or("")}}, "number");
        found.changes.push_back({fingerprint_in(item.items[1].text.value_or("")),
                                 redis::time_from(item.items[2].text.value_or("")),
                                 item.items[3].number == 1,
                                 redis::address_from(item.items[4].text.value_or(""))});
    }
    return found;
}

void RedisFallbackLedger::read(policy::Time since, const Visit& visit) {
    scan(database_,
         fallback_index,
         since,
         [&](const std::string& member, const redis::Record& record) {
             visit(entry_in(member, record));
         });
}

std::uint64_t RedisFallbackLedger::trim(policy::Time oldest) {
    return remove_older(database_, fallback_index, oldest, most_trimmed);
}

std::uint64_t RedisFallbackLedger::forget(const Predicate& is_meant) {
    std::vector<std::string> members;
    read(policy::Time::min(), [&](const FallbackEntry& entry) {
        if (is_meant(entry)) {
            members.push_back(member_of(entry.fingerprint));
        }
    });
    return remove(database_, fallback_index, members);
}

} // namespace store
