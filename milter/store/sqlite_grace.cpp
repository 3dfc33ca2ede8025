#include "milter/store/sqlite_grace.hpp"

#include "milter/store/sqlite_database.hpp"
#include "milter/store/sqlite_schema.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace store {

namespace {

constexpr std::chrono::days a_day{1};

// At a time, so that no other process waits longer than for these.
constexpr std::size_t records_to_remove = 1'000;

std::int64_t number_of(policy::Time time) {
    return time.time_since_epoch().count();
}

policy::Time time_in(const SQLite::Column& column) {
    return policy::Time{std::chrono::milliseconds{column.getInt64()}};
}

// Of the columns from `index` on: first, last, attempts, refused_from.
GraceRecord record_in(SQLite::Statement& row, int index) {
    return {time_in(row.getColumn(index)),
            time_in(row.getColumn(index + 1)),
            static_cast<std::uint64_t>(row.getColumn(index + 2).getInt64()),
            time_in(row.getColumn(index + 3))};
}

policy::Address network_in(const SQLite::Column& column) {
    policy::Address::Bytes bytes{};
    if (column.getBytes() == static_cast<int>(bytes.size())) {
        std::memcpy(bytes.data(), column.getBlob(), bytes.size());
    }
    return policy::Address{bytes};
}

// Which all see the record as it was. A clock that is set back moves no date.
constexpr const char* count_again =
    "UPDATE grace SET last = max(last, :time), "
    "first = iif(last < :unused, :time, first), "
    "attempts = iif(last < :unused, 1, attempts + 1), "
    "refused_from = iif(last < :unused, :time + :period, max(refused_from, first + :period)) "
    "WHERE network = :network AND domain = :domain "
    "RETURNING first, last, attempts, refused_from";

std::optional<GraceRecord> counted_again(SQLite::Database& database,
                                         const GraceKey& key,
                                         policy::Time time,
                                         std::chrono::milliseconds period,
                                         policy::Time unused_since) {
    SQLite::Statement update{database, count_again};
    update.bind(":time", number_of(time));
    update.bind(":period", std::int64_t{period.count()});
    update.bind(":unused", number_of(unused_since));
    update.bindNoCopy(":network", key.network.bytes().data(), sizeof(policy::Address::Bytes));
    update.bind(":domain", key.domain);
    return update.executeStep() ? std::optional{record_in(update, 0)} : std::nullopt;
}

void insert(SQLite::Database& database, const GraceKey& key, const GraceRecord& record) {
    SQLite::Statement row{database, "INSERT INTO grace VALUES (?, ?, ?, ?, ?, ?)"};
    bind_blob(row, 1, key.network.bytes());
    row.bind(2, key.domain);
    row.bind(3, number_of(record.first));
    row.bind(4, number_of(record.last));
    row.bind(5, static_cast<std::int64_t>(record.attempts));
    row.bind(6, number_of(record.refused_from));
    row.exec();
}

} // namespace

SqliteGraceLedger::SqliteGraceLedger(const std::string& path,
                                     Access access,
                                     const GraceLimits& limits)
    : path_{path}, limits_{limits}, database_{open_database(path, access)} {
    on(path_, [&] { count_records(); });
}

SqliteGraceLedger::~SqliteGraceLedger() = default;

// Reads all of them, which is too much for each new one.
void SqliteGraceLedger::count_records() {
    records_ =
        static_cast<std::uint64_t>(database_->execAndGet("SELECT count(*) FROM grace").getInt64());
}

bool SqliteGraceLedger::has_room_for(const GraceKey& key, policy::Time time) {
    if (records_ >= limits_.most) {
        return false;
    }
    const policy::Prefix site{key.network, 48};
    const auto first = site.first();
    const auto last = site.last();
    SQLite::Statement of_site{*database_,
                              "SELECT count(*) FROM grace WHERE network BETWEEN ? AND ? "
                              "AND first > ?"};
    bind_blob(of_site, 1, first.bytes());
    bind_blob(of_site, 2, last.bytes());
    of_site.bind(3, number_of(time - a_day));
    of_site.executeStep();
    const auto of_a_day = static_cast<std::uint64_t>(of_site.getColumn(0).getInt64());
    return of_a_day < limits_.most_new_of_a_site;
}

std::optional<GraceRecord> SqliteGraceLedger::counted(const GraceKey& key,
                                                      policy::Time time,
                                                      std::chrono::milliseconds period) {
    const auto unused_since =
        time - std::max<std::chrono::milliseconds>(period, limits_.until_anew);
    if (auto record = counted_again(*database_, key, time, period, unused_since)) {
        return record;
    }
    if (!has_room_for(key, time)) {
        return std::nullopt;
    }
    const GraceRecord record{time, time, 1, time + period};
    insert(*database_, key, record);
    ++records_;
    return record;
}

std::optional<GraceRecord>
SqliteGraceLedger::count(const GraceKey& key, policy::Time time, std::chrono::milliseconds period) {
    return on(path_, [&] {
        require_in_place(*database_);
        SQLite::Transaction transaction{*database_, SQLite::TransactionBehavior::IMMEDIATE};
        const auto record = counted(key, time, period);
        transaction.commit();
        return record;
    });
}

// Some of them; returns how many.
std::uint64_t SqliteGraceLedger::remove_unused(policy::Time since) {
    return on(path_, [&] {
        require_in_place(*database_);
        require_current(*database_, schema_steps());
        SQLite::Statement remove{*database_,
                                 "DELETE FROM grace WHERE (network, domain) IN (SELECT network, "
                                 "domain FROM grace WHERE last < ? LIMIT ?)"};
        remove.bind(1, number_of(since));
        remove.bind(2, static_cast<std::int64_t>(records_to_remove));
        return static_cast<std::uint64_t>(remove.exec());
    });
}

std::uint64_t SqliteGraceLedger::trim(policy::Time unused_since) {
    std::uint64_t trimmed = 0;
    for (std::uint64_t removed = records_to_remove; removed == records_to_remove;) {
        removed = remove_unused(unused_since);
        trimmed += removed;
    }
    on(path_, [&] { count_records(); });
    return trimmed;
}

void SqliteGraceLedger::read(const Visit& visit) {
    on(path_, [&] {
        SQLite::Statement rows{
            *database_, "SELECT network, domain, first, last, attempts, refused_from FROM grace"};
        while (rows.executeStep()) {
            visit({network_in(rows.getColumn(0)), rows.getColumn(1).getString()},
                  record_in(rows, 2));
        }
    });
}

std::uint64_t SqliteGraceLedger::forget(const Predicate& is_meant) {
    std::vector<GraceKey> keys;
    read([&](const GraceKey& key, const GraceRecord&) {
        if (is_meant(key)) {
            keys.push_back(key);
        }
    });
    for (std::span<const GraceKey> left{keys}; !left.empty();) {
        const auto batch = left.first(std::min(left.size(), records_to_remove));
        remove(batch);
        left = left.subspan(batch.size());
    }
    return keys.size();
}

void SqliteGraceLedger::remove(std::span<const GraceKey> keys) {
    on(path_, [&] {
        SQLite::Transaction transaction{*database_, SQLite::TransactionBehavior::IMMEDIATE};
        SQLite::Statement statement{*database_,
                                    "DELETE FROM grace WHERE network = ? AND domain = ?"};
        for (const GraceKey& key : keys) {
            statement.reset();
            bind_blob(statement, 1, key.network.bytes());
            statement.bind(2, key.domain);
            statement.exec();
        }
        transaction.commit();
    });
}

} // namespace store
