#include "milter/store/sqlite_fallback.hpp"

#include "milter/store/sqlite_database.hpp"
#include "milter/store/sqlite_schema.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <algorithm>
#include <cstring>

namespace store {

namespace {

// At a time, so that no other process waits longer than for these.
constexpr std::size_t entries_to_remove = 1'000;

constexpr const char* all_columns =
    "SELECT fingerprint, first, attempts, reason, stage, mail_from, "
    "mail_from_domain, recipient, network, recovery, recovered "
    "FROM fallback";

std::int64_t milliseconds_of(policy::Time time) {
    return time.time_since_epoch().count();
}

policy::Time moment_in(const SQLite::Column& column) {
    return policy::Time{std::chrono::milliseconds{column.getInt64()}};
}

// Zeros where the octets are not as many.
template <typename Octets>
Octets octets_in(const SQLite::Column& column) {
    Octets octets{};
    if (column.getBytes() == static_cast<int>(octets.size())) {
        std::memcpy(octets.data(), column.getBlob(), octets.size());
    }
    return octets;
}

// What has all_columns. A reason of a later version reads as the last one that this one knows.
FallbackEntry fallback_entry_in(SQLite::Statement& row) {
    FallbackEntry entry;
    entry.fingerprint = octets_in<Fingerprint>(row.getColumn(0));
    policy::SoftRefusal& refusal = entry.refusal;
    refusal.first = moment_in(row.getColumn(1));
    refusal.attempts = static_cast<std::uint64_t>(row.getColumn(2).getInt64());
    refusal.reason =
        policy::reason_from(row.getColumn(3).getString()).value_or(policy::Reason::closed);
    refusal.stage = row.getColumn(4).getString();
    refusal.mail_from = row.getColumn(5).getString();
    refusal.mail_from_domain = row.getColumn(6).getString();
    refusal.recipient = row.getColumn(7).getString();
    refusal.network = policy::Address{octets_in<policy::Address::Bytes>(row.getColumn(8))};
    if (const auto kind = policy::recovery_kind_from(row.getColumn(9).getString())) {
        refusal.recovery = policy::Recovery{*kind, moment_in(row.getColumn(10))};
    }
    return entry;
}

// Of "fingerprint, first, is open, network".
FallbackChange change_in(SQLite::Statement& row) {
    const bool is_open = row.getColumn(2).getInt() != 0;
    const auto network = octets_in<policy::Address::Bytes>(row.getColumn(3));
    return {octets_in<Fingerprint>(row.getColumn(0)),
            moment_in(row.getColumn(1)),
            is_open,
            is_open ? policy::Address{network} : policy::Address{}};
}

bool open_again(SQLite::Statement& update, const FallbackEntry& entry) {
    update.reset();
    update.bind(1, milliseconds_of(entry.refusal.first));
    update.bind(2, static_cast<std::int64_t>(entry.refusal.attempts));
    bind_blob(update, 3, entry.fingerprint);
    return update.exec() > 0;
}

void open_new(SQLite::Statement& insert, const FallbackEntry& entry, std::int64_t change) {
    const policy::SoftRefusal& refusal = entry.refusal;
    insert.reset();
    bind_blob(insert, 1, entry.fingerprint);
    insert.bind(2, milliseconds_of(refusal.first));
    insert.bind(3, static_cast<std::int64_t>(refusal.attempts));
    insert.bind(4, std::string{to_string(refusal.reason)});
    insert.bindNoCopy(5, refusal.stage);
    insert.bindNoCopy(6, refusal.mail_from);
    insert.bindNoCopy(7, refusal.mail_from_domain);
    insert.bindNoCopy(8, refusal.recipient);
    bind_blob(insert, 9, refusal.network.bytes());
    insert.bind(10, change);
    insert.exec();
}

} // namespace

SqliteFallbackLedger::SqliteFallbackLedger(const std::string& path,
                                           Access access,
                                           const FallbackLimits& limits)
    : path_{path}, limits_{limits}, database_{open_database(path, access)} {
    on(path_, [&] { count_entries(); });
}

SqliteFallbackLedger::~SqliteFallbackLedger() = default;

// Reads all of them, which is too much for each new one.
void SqliteFallbackLedger::count_entries() {
    entries_ = static_cast<std::uint64_t>(
        database_->execAndGet("SELECT count(*) FROM fallback").getInt64());
}

// For one entry, where all of it is taken.
bool SqliteFallbackLedger::make_room(policy::Time settled) {
    SQLite::Statement too_old{*database_,
                              "DELETE FROM fallback WHERE fingerprint IN (SELECT fingerprint FROM "
                              "fallback WHERE first < ? ORDER BY first LIMIT 1)"};
    too_old.bind(1, milliseconds_of(settled));
    const int removed =
        too_old.exec() > 0
            ? 1
            : database_->exec("DELETE FROM fallback WHERE fingerprint IN (SELECT fingerprint FROM "
                              "fallback WHERE recovery IS NOT NULL ORDER BY first LIMIT 1)");
    return removed > 0;
}

// One number for all that a transaction changes: they are seen together.
FallbackLedger::Position SqliteFallbackLedger::next_change() {
    database_->exec("UPDATE fallback_change SET last = last + 1");
    return last_change();
}

FallbackLedger::Position SqliteFallbackLedger::last_change() {
    return database_->execAndGet("SELECT last FROM fallback_change").getInt64();
}

std::uint64_t SqliteFallbackLedger::open(std::span<const FallbackEntry> entries,
                                         policy::Time settled) {
    return on(path_, [&] {
        require_in_place(*database_);
        SQLite::Transaction transaction{*database_, SQLite::TransactionBehavior::IMMEDIATE};
        SQLite::Statement update{*database_,
                                 "UPDATE fallback SET first = min(first, ?), "
                                 "attempts = attempts + ? WHERE fingerprint = ?"};
        SQLite::Statement insert{*database_,
                                 "INSERT INTO fallback VALUES "
                                 "(?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?)"};
        const Position change = next_change();
        if (entries_ + entries.size() > limits_.most) {
            count_entries(); // others add, and trim
        }
        std::uint64_t opened = 0;
        std::uint64_t dropped = 0;
        for (const FallbackEntry& entry : entries) {
            if (open_again(update, entry)) {
                continue;
            }
            const bool is_full = entries_ + opened >= limits_.most;
            if (is_full && !make_room(settled)) {
                ++dropped;
                continue;
            }
            open_new(insert, entry, change);
            opened += is_full ? 0U : 1U;
        }
        transaction.commit();
        entries_ += opened;
        return dropped;
    });
}

void SqliteFallbackLedger::end(std::span<const FallbackEnd> ends) {
    on(path_, [&] {
        require_in_place(*database_);
        SQLite::Transaction transaction{*database_, SQLite::TransactionBehavior::IMMEDIATE};
        SQLite::Statement update{*database_,
                                 "UPDATE fallback SET recovery = ?, recovered = ?, change = ? "
                                 "WHERE fingerprint = ? AND recovery IS NULL"};
        const Position change = next_change();
        for (const FallbackEnd& each : ends) {
            update.reset();
            update.bind(1, std::string{to_string(each.recovery.kind)});
            update.bind(2, milliseconds_of(each.recovery.time));
            update.bind(3, change);
            bind_blob(update, 4, each.fingerprint);
            update.exec();
        }
        transaction.commit();
    });
}

FallbackLedger::Changes SqliteFallbackLedger::open_entries(policy::Time since, std::size_t most) {
    return on(path_, [&] {
        require_in_place(*database_);
        Changes open;
        open.position = last_change(); // what comes meanwhile is seen twice
        SQLite::Statement rows{
            *database_,
            "SELECT fingerprint, first, 1, network FROM fallback WHERE first >= ? AND "
            "recovery IS NULL ORDER BY first DESC LIMIT ?"};
        rows.bind(1, milliseconds_of(since));
        rows.bind(2, static_cast<std::int64_t>(most));
        while (rows.executeStep()) {
            open.changes.push_back(change_in(rows));
        }
        return open;
    });
}

// Those of one number are seen together, also where they are more than `most`.
FallbackLedger::Changes SqliteFallbackLedger::changes_after(Position position, std::size_t most) {
    return on(path_, [&] {
        require_in_place(*database_);
        Changes found{position, {}};
        SQLite::Statement rows{
            *database_,
            "SELECT fingerprint, first, recovery IS NULL, network, change FROM fallback "
            "WHERE change > ? ORDER BY change"};
        rows.bind(1, position);
        while (rows.executeStep()) {
            const Position change = rows.getColumn(4).getInt64();
            if (found.changes.size() >= most && change != found.position) {
                return found;
            }
            found.changes.push_back(change_in(rows));
            found.position = change;
        }
        return found;
    });
}

void SqliteFallbackLedger::read(policy::Time since, const Visit& visit) {
    on(path_, [&] {
        SQLite::Statement rows{*database_, std::string{all_columns} + " WHERE first >= ?"};
        rows.bind(1, milliseconds_of(since));
        while (rows.executeStep()) {
            visit(fallback_entry_in(rows));
        }
    });
}

// Some of them; returns how many.
std::uint64_t SqliteFallbackLedger::remove_older(policy::Time oldest) {
    return on(path_, [&] {
        require_in_place(*database_);
        require_current(*database_, schema_steps());
        SQLite::Statement remove{*database_,
                                 "DELETE FROM fallback WHERE fingerprint IN (SELECT fingerprint "
                                 "FROM fallback WHERE first < ? LIMIT ?)"};
        remove.bind(1, milliseconds_of(oldest));
        remove.bind(2, static_cast<std::int64_t>(entries_to_remove));
        return static_cast<std::uint64_t>(remove.exec());
    });
}

std::uint64_t SqliteFallbackLedger::trim(policy::Time oldest) {
    std::uint64_t trimmed = 0;
    std::uint64_t removed = entries_to_remove;
    while (removed == entries_to_remove && trimmed < most_trimmed) {
        removed = remove_older(oldest);
        trimmed += removed;
    }
    return trimmed;
}

void SqliteFallbackLedger::remove(std::span<const Fingerprint> fingerprints) {
    on(path_, [&] {
        SQLite::Transaction transaction{*database_, SQLite::TransactionBehavior::IMMEDIATE};
        SQLite::Statement statement{*database_, "DELETE FROM fallback WHERE fingerprint = ?"};
        for (const Fingerprint& fingerprint : fingerprints) {
            statement.reset();
            bind_blob(statement, 1, fingerprint);
            statement.exec();
        }
        transaction.commit();
    });
}

std::uint64_t SqliteFallbackLedger::forget(const Predicate& is_meant) {
    std::vector<Fingerprint> fingerprints;
    read(policy::Time::min(), [&](const FallbackEntry& entry) {
        if (is_meant(entry)) {
            fingerprints.push_back(entry.fingerprint);
        }
    });
    for (std::span<const Fingerprint> left{fingerprints}; !left.empty();) {
        const auto batch = left.first(std::min(left.size(), entries_to_remove));
        remove(batch);
        left = left.subspan(batch.size());
    }
    return fingerprints.size();
}

} // namespace store
