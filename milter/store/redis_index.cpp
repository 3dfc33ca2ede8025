#include "milter/store/redis_index.hpp"

#include "milter/store/redis_ledger_scripts.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <unordered_set>

namespace store {

namespace {

using Words = RedisDatabase::Words;

// At a time, for the server serves nobody else meanwhile.
constexpr std::size_t members_to_remove = 1'000;

redis::Record record_of(const RedisReply& fields) {
    redis::Record record;
    for (std::size_t i = 0; i + 1 < fields.items.size(); i += 2) {
        record.emplace(fields.items[i].text.value_or(""), fields.items[i + 1].text.value_or(""));
    }
    return record;
}

std::uint64_t remove_some(RedisDatabase& database,
                          const RedisIndex& index,
                          std::span<const std::string> members) {
    Words arguments{index.records, index.sites, index.changes, index.ended};
    arguments.insert(arguments.end(), members.begin(), members.end());
    const auto removed = database.run(redis::remove_members, {index.members}, arguments);
    return static_cast<std::uint64_t>(removed.number);
}

} // namespace

void scan(RedisDatabase& database,
          const RedisIndex& index,
          policy::Time since,
          const VisitRecord& visit) {
    const std::string least = redis::milliseconds_of(since);
    std::string cursor = "0";
    std::unordered_set<std::string> seen; // a scan may find one twice
    do {
        const auto page =
            database.ask(redis::scan_members, {index.members}, {index.records, cursor, least});
        database.require(page.items.size() == 2 && page.items[0].text);
        for (const auto& found : page.items[1].items) {
            database.require(found.items.size() == 2);
            const std::string member = found.items[0].text.value_or("");
            if (seen.insert(member).second) {
                visit(member, record_of(found.items[1]));
            }
        }
        cursor = *page.items[0].text;
    } while (cursor != "0");
}

std::uint64_t
remove(RedisDatabase& database, const RedisIndex& index, const std::vector<std::string>& members) {
    std::uint64_t removed = 0;
    for (std::span left{members}; !left.empty();) {
        const auto batch = left.first(std::min(left.size(), members_to_remove));
        removed += remove_some(database, index, batch);
        left = left.subspan(batch.size());
    }
    return removed;
}

std::uint64_t remove_older(RedisDatabase& database,
                           const RedisIndex& index,
                           policy::Time oldest,
                           std::uint64_t most_removed) {
    database.require_current();
    const std::string before = '(' + redis::milliseconds_of(oldest);
    const std::string most = std::to_string(members_to_remove);
    std::uint64_t removed = 0;
    std::vector<std::string> members;
    do {
        const auto found =
            database.call({"ZRANGEBYSCORE", index.members, "-inf", before, "LIMIT", "0", most});
        members.clear();
        std::ranges::transform(found.items, std::back_inserter(members), [](const auto& member) {
            return member.text.value_or("");
        });
        removed += remove(database, index, members);
    } while (members.size() == members_to_remove && removed < most_removed);
    return removed;
}

} // namespace store
