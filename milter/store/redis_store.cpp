#include "milter/store/redis_store.hpp"

#include "milter/store/hex.hpp"
#include "milter/store/hmac.hpp"
#include "milter/store/redis_rows.hpp"
#include "milter/store/redis_scripts.hpp"
#include "milter/store/redis_values.hpp"
#include "policy/ascii.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace store {

namespace {

// At a time, for the server serves nobody else meanwhile.
constexpr std::size_t entries_of_batch = 500;
constexpr std::size_t octets_of_batch = 1U << 20U;
constexpr std::int64_t positions_to_copy = 500;
constexpr std::string_view rows_of_step = "1000";
constexpr std::string_view octets_that_are_enough = "1048576";
constexpr std::string_view rows_to_remove_at_once = "1000";
constexpr std::string_view rows_to_look_at_again = "1000";

// For which a batch is remembered, longer than it is tried again in ordinary trouble.
constexpr std::string_view memory_of_batch = "3600";

// A copy with which nobody has gone on for so long is given up.
constexpr std::string_view seconds_of_lock = "60";

// A batch is known by its first entry, of which no two are alike: time, case and recipients differ.
std::string name_of_batch(const RedisFields& first) {
    std::string whole;
    for (const auto& field : first) {
        whole.append(field).push_back('\0');
    }
    const auto digest = Hmac{"batch"}.digest(whole);
    return std::string{redis::batch_key} + hex_of(std::span{digest}.first(12));
}

std::string random_token() {
    std::array<unsigned char, 16> octets{};
    if (getentropy(octets.data(), octets.size()) != 0) {
        throw StoreError{"getentropy: no random octets"};
    }
    return hex_of(octets);
}

std::string text_of_position(Store::Position position) {
    return std::to_string(position);
}

} // namespace

RedisStore::RedisStore(RedisAccess server, const std::string& hash_key, Access access)
    : database_{std::move(server), hash_key, access} {}

// How many of them it has taken, from the beginning: as many as fit. Tried again, the batches begin
// with the same entries, and end where they did or later.
std::size_t RedisStore::append_batch(std::span<const policy::JournalEntry> entries) {
    std::vector<RedisFields> fields;
    std::size_t octets = 0;
    for (const auto& entry : entries.first(std::min(entries.size(), entries_of_batch))) {
        if (octets >= octets_of_batch) {
            break;
        }
        fields.push_back(fields_of(entry));
        octets += fields.back().back().size();
    }
    const std::string batch = name_of_batch(fields.front());
    Words arguments{redis::schema_version, memory_of_batch};
    for (const auto& entry : fields) {
        arguments.insert(arguments.end(), entry.begin(), entry.end());
    }
    database_.require_version(
        database_.run(redis::append, {redis::about_key, redis::journal_key, batch}, arguments));
    return fields.size();
}

void RedisStore::append(std::span<const policy::JournalEntry> entries) {
    while (!entries.empty()) {
        entries = entries.subspan(append_batch(entries));
    }
}

Store::Position RedisStore::end() {
    if (database_.call(Words{"EXISTS", redis::journal_key}).number == 0) {
        return 0;
    }
    const auto stream = database_.call(Words{"XINFO", "STREAM", redis::journal_key}).items;
    const auto name = std::ranges::find_if(
        stream, [](const RedisReply& item) { return item.text == "last-generated-id"; });
    const bool has_value = name != stream.end() && std::next(name) != stream.end();
    const auto position =
        has_value ? position_in(std::next(name)->text.value_or("")) : std::nullopt;
    if (!position) {
        database_.fail("somebody else's data is in the place of the journal");
    }
    return *position;
}

RedisStore::Page RedisStore::page_of(const Filter& filter, Position after, Position last) {
    const std::string first = text_of_position(after);
    const std::string final = text_of_position(last);
    const std::string domain = filter.domain ? '=' + policy::to_lower(*filter.domain) : "";
    const std::string since = filter.since ? redis::milliseconds_of(*filter.since) : "-inf";
    const auto reply = database_.ask(
        redis::page,
        {redis::journal_key},
        {first, final, rows_of_step, octets_that_are_enough, filter.case_id, domain, since});
    database_.require(reply.items.size() == 2);
    const auto looked_at = position_in("0-" + reply.items[0].text.value_or(""));
    database_.require(looked_at && *looked_at > after); // or it would go on for ever
    Page page{{}, *looked_at};
    for (const auto& item : reply.items[1].items) {
        const auto position =
            item.items.empty() ? std::nullopt : position_in(item.items[0].text.value_or(""));
        Row row = row_of(item, position.value_or(page.looked_at));
        if (is_meant(filter, row)) {
            page.rows.push_back(std::move(row));
        }
    }
    return page;
}

void RedisStore::read_rows(const Filter& filter,
                           Position after,
                           Position last,
                           const VisitRow& visit) {
    while (after < last) {
        const Page page = page_of(filter, after, last);
        std::ranges::for_each(page.rows, visit);
        after = page.looked_at;
    }
}

Store::Reading RedisStore::read(const Filter& filter, Position position, const Visit& visit) {
    Reading reading{end(), {}};
    if (reading.position < position) {
        database_.fail("the journal ends before what was read: it was removed, or the server that "
                       "has taken over knows less");
    }
    read_rows(filter, position, reading.position, [&](const Row& row) {
        if (row.trouble.empty()) {
            visit(row.entry);
        } else {
            note(row.trouble, reading.unreadable);
        }
    });
    return reading;
}

// Nothing is looked at for it: a server that many hosts use is not asked to.
std::uint64_t RedisStore::count(const Filter&) {
    return static_cast<std::uint64_t>(database_.call(Words{"XLEN", redis::journal_key}).number);
}

Store::Trimmed RedisStore::trim(const Bounds& bounds) {
    database_.require_current();
    const std::string most = std::to_string(bounds.most);
    const std::string oldest = redis::milliseconds_of(bounds.oldest);
    const auto reply =
        database_.run(redis::trim,
                      {redis::journal_key, redis::about_key, redis::lock_key, redis::copy_key},
                      {most, oldest, rows_to_remove_at_once, rows_to_look_at_again});
    database_.require(reply.items.size() == 2);
    return {static_cast<std::uint64_t>(reply.items[0].number), reply.items[1].number == 1};
}

void RedisStore::copy(std::string_view token,
                      Position after,
                      Position last,
                      std::span<const Position> left_out) {
    const std::string first = text_of_position(after);
    const std::string final = text_of_position(last);
    std::vector<std::string> positions;
    std::ranges::transform(left_out, std::back_inserter(positions), text_of_position);
    Words arguments{token, seconds_of_lock, first, final};
    arguments.insert(arguments.end(), positions.begin(), positions.end());
    const auto reply = database_.run(
        redis::copy, {redis::lock_key, redis::journal_key, redis::copy_key}, arguments);
    if (reply.number != 1) {
        database_.fail("was too slow, nothing was removed: forget it again");
    }
}

// What XDEL removes stays where it stood, with a mark, in the memory and in the files of the
// server. So all the others are copied, some at a time while entries come, and the copy takes the
// place.
void RedisStore::write_anew(std::span<const Position> left_out, Position last) {
    const std::string token = random_token();
    const Words keys{redis::lock_key, redis::copy_key};
    if (database_.run(redis::lock, keys, {token, seconds_of_lock}).number != 1) {
        database_.fail("somebody else is forgetting something: forget it again in a minute");
    }
    const Page first = page_of({}, 0, last);
    Position after = first.rows.empty() ? last : first.rows.front().position - 1;
    while (last - after > positions_to_copy || !left_out.empty()) {
        const Position next = std::min(last, after + positions_to_copy);
        const auto beyond = std::ranges::upper_bound(left_out, next);
        const auto here = static_cast<std::size_t>(std::distance(left_out.begin(), beyond));
        copy(token, after, next, left_out.first(here));
        left_out = left_out.subspan(here);
        after = next;
        last = end(); // of what came meanwhile
    }
    const std::string copied = text_of_position(after);
    const Words all{redis::lock_key, redis::journal_key, redis::copy_key, redis::old_key};
    if (database_.run(redis::replace, all, {token, copied}).number != 1) {
        database_.fail("was too slow, nothing was removed: forget it again");
    }
}

Store::Forgotten RedisStore::forget(const Predicate& is_meant) {
    std::vector<Position> positions;
    Unreadable unreadable;
    const Position last = end();
    read_rows({}, 0, last, [&](const Row& row) {
        if (is_meant(row.entry)) {
            positions.push_back(row.position);
        } else if (!row.trouble.empty()) {
            note(row.trouble, unreadable);
        }
    });
    if (!positions.empty()) {
        write_anew(positions, last);
    }
    return {positions.size(), unreadable};
}

} // namespace store
