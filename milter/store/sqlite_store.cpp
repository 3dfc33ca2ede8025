#include "milter/store/sqlite_store.hpp"

#include "milter/store/entry_details.hpp"
#include "milter/store/sqlite_database.hpp"
#include "milter/store/sqlite_rows.hpp"
#include "milter/store/sqlite_schema.hpp"
#include "policy/ascii.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <algorithm>
#include <vector>

namespace store {

namespace {

// At a time, so that no other process waits longer than for these.
constexpr std::size_t rows_to_remove = 1'000;

// By trim() at a time, of which most are in bounds: some 2 ms.
constexpr std::size_t rows_to_look_at = 20'000;

} // namespace

SqliteStore::SqliteStore(const std::string& path, Access access)
    : path_{path}, database_{open_database(path, access)} {
    if (access == Access::read) {
        return;
    }
    on(path_, [&] {
        insert_entry_ = std::make_unique<SQLite::Statement>(
            *database_, "INSERT INTO entry (time, case_id, client, domain) VALUES (?, ?, ?, ?)");
        insert_details_ = std::make_unique<SQLite::Statement>(
            *database_, "INSERT INTO details (id, octets) VALUES (last_insert_rowid(), ?)");
    });
}

SqliteStore::~SqliteStore() = default;

void SqliteStore::insert(const policy::JournalEntry& entry) {
    const policy::Evidence& evidence = entry.evidence;
    const std::string domain = policy::to_lower(evidence.mail_from_domain);
    const std::vector<std::uint8_t> details = details_of(entry);
    insert_entry_->reset();
    insert_entry_->bind(1, std::int64_t{entry.time.time_since_epoch().count()});
    insert_entry_->bindNoCopy(2, entry.case_id);
    if (evidence.client) {
        bind_blob(*insert_entry_, 3, evidence.client->bytes());
    } else {
        insert_entry_->bind(3);
    }
    insert_entry_->bindNoCopy(4, domain);
    insert_entry_->exec();
    insert_details_->reset();
    bind_blob(*insert_details_, 1, details);
    insert_details_->exec();
}

void SqliteStore::append(std::span<const policy::JournalEntry> entries) {
    on(path_, [&] {
        require_in_place(*database_);
        SQLite::Transaction transaction{*database_, SQLite::TransactionBehavior::IMMEDIATE};
        for (const auto& entry : entries) {
            insert(entry);
        }
        transaction.commit();
    });
}

Store::Position SqliteStore::end() {
    return on(path_, [&] {
        return database_->execAndGet("SELECT coalesce(max(id), 0) FROM entry").getInt64();
    });
}

// Whoever visits may take his time, as a pager does that nobody scrolls. Nothing is open in the
// database meanwhile: it could not fold its log in, which would grow for as long.
void SqliteStore::read_rows(const Filter& filter,
                            Position after,
                            Position last,
                            const VisitRow& visit) {
    const auto page_after = [&](Position position) {
        return on(path_, [&] { return page_of(*database_, filter, position, last); });
    };
    for (auto page = page_after(after); !page.empty(); page = page_after(page.back().position)) {
        std::ranges::for_each(page, visit);
    }
}

Store::Reading SqliteStore::read(const Filter& filter, Position position, const Visit& visit) {
    require_in_place(*database_); // nothing comes any more to what was moved aside
    Reading reading{end(), {}};
    read_rows(filter, position, reading.position, [&](const Row& row) {
        if (row.trouble.empty()) {
            visit(row.entry);
        } else {
            note(row.trouble, reading.unreadable);
        }
    });
    return reading;
}

std::uint64_t SqliteStore::count(const Filter& filter) {
    return on(path_, [&] { return count_rows(*database_, filter, end()); });
}

// By id, which is the order of arrival: the first ones.
std::vector<Store::Position> SqliteStore::beyond_the_number(const Bounds& bounds) {
    SQLite::Statement first{
        *database_, "SELECT id FROM entry WHERE id <= :last - :most ORDER BY id LIMIT :rows"};
    first.bind(":last", end());
    first.bind(":most", static_cast<std::int64_t>(bounds.most));
    first.bind(":rows", static_cast<std::int64_t>(rows_to_remove));
    std::vector<Position> positions;
    while (first.executeStep()) {
        positions.push_back(first.getColumn(0).getInt64());
    }
    return positions;
}

// Their times are nearly in order: those that came first are looked at each time. Where the clock
// was wrong for a while they are not, so all others are, too, and not all of millions each time.
void SqliteStore::add_first_too_old(const Bounds& bounds, std::vector<Position>& positions) {
    SQLite::Statement first{*database_,
                            "SELECT id FROM (SELECT id, time FROM entry WHERE id > :after ORDER BY "
                            "id LIMIT :rows) WHERE time < :oldest"};
    first.bind(":oldest", std::int64_t{bounds.oldest.time_since_epoch().count()});
    first.bind(":after", positions.empty() ? 0 : positions.back());
    first.bind(":rows", static_cast<std::int64_t>(rows_to_remove - positions.size()));
    while (first.executeStep()) {
        positions.push_back(first.getColumn(0).getInt64());
    }
}

void SqliteStore::add_too_old(const Bounds& bounds, std::vector<Position>& positions) {
    SQLite::Statement next{
        *database_,
        "SELECT id, time < :oldest FROM entry WHERE id > :after ORDER BY id LIMIT :rows"};
    next.bind(":oldest", std::int64_t{bounds.oldest.time_since_epoch().count()});
    next.bind(":after", std::max(looked_at_, positions.empty() ? 0 : positions.back()));
    next.bind(":rows", static_cast<std::int64_t>(rows_to_look_at));
    std::size_t looked_at = 0;
    while (positions.size() < rows_to_remove && next.executeStep()) {
        looked_at_ = next.getColumn(0).getInt64();
        ++looked_at;
        if (next.getColumn(1).getInt() != 0) {
            positions.push_back(looked_at_);
        }
    }
    if (positions.size() < rows_to_remove && looked_at < rows_to_look_at) {
        looked_at_ = 0; // that was the last
    }
}

Store::Trimmed SqliteStore::trim(const Bounds& bounds) {
    const auto positions = on(path_, [&] {
        require_current(*database_, schema_steps()); // what a later one keeps is its own to trim
        auto out_of_bounds = beyond_the_number(bounds);
        add_first_too_old(bounds, out_of_bounds);
        add_too_old(bounds, out_of_bounds);
        return out_of_bounds;
    });
    if (!positions.empty()) { // or else the file need not be locked
        remove(positions);
    }
    return {positions.size(), positions.size() == rows_to_remove};
}

void SqliteStore::remove(std::span<const Position> positions) {
    on(path_, [&] {
        SQLite::Transaction transaction{*database_, SQLite::TransactionBehavior::IMMEDIATE};
        SQLite::Statement entry{*database_, "DELETE FROM entry WHERE id = ?"};
        SQLite::Statement details{*database_, "DELETE FROM details WHERE id = ?"};
        for (const Position position : positions) {
            for (auto* const statement : {&entry, &details}) {
                statement->reset();
                statement->bind(1, position);
                statement->exec();
            }
        }
        transaction.commit();
    });
}

// secure_delete overwrites a cell where it stands. Copies of it from when pages were parted or
// joined lie where it never comes, and in the log until that is folded in. Also where nothing was
// removed now: the time before, this may have failed.
void SqliteStore::write_anew(std::size_t removed) {
    std::string why = "it is being read";
    try {
        database_->exec("VACUUM");
        if (database_->execAndGet("PRAGMA wal_checkpoint(TRUNCATE)").getInt() == 0) {
            return;
        }
    } catch (const SQLite::Exception& error) {
        why = error.what();
    }
    throw StoreError{path_ + ": " + std::to_string(removed) +
                     " entries were removed, but copies of what was removed may be left in its "
                     "files (" +
                     why + "): forget it again"};
}

Store::Forgotten SqliteStore::forget(const Predicate& is_meant) {
    std::vector<Position> positions;
    Unreadable unreadable;
    read_rows({}, 0, end(), [&](const Row& row) {
        if (is_meant(row.entry)) {
            positions.push_back(row.position);
        } else if (!row.trouble.empty()) {
            note(row.trouble, unreadable);
        }
    });
    for (std::span<const Position> left{positions}; !left.empty();) {
        const auto batch = left.first(std::min(left.size(), rows_to_remove));
        remove(batch);
        left = left.subspan(batch.size());
    }
    write_anew(positions.size());
    return {positions.size(), unreadable};
}

} // namespace store
