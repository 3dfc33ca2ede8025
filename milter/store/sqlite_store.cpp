#include "milter/store/sqlite_store.hpp"

#include "milter/store/entry_details.hpp"
#include "milter/store/sqlite_schema.hpp"
#include "policy/ascii.hpp"
#include "policy/printable.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace store {

namespace {

// How long another process may hold the file before it counts as trouble.
constexpr int patience_ms = 1'000;

// At a time, so that no other process waits longer than for these.
constexpr std::size_t rows_to_remove = 1'000;

// By trim() at a time, of which most are in bounds: some 2 ms.
constexpr std::size_t rows_to_look_at = 20'000;

// Read at a time, into memory.
constexpr std::size_t rows_of_page = 1'000;
constexpr std::size_t octets_of_page = 4U << 20U;

// What SQLite throws is told with the file's name, and in one type.
template <typename Call>
auto on(const std::string& path, Call call) {
    try {
        return call();
    } catch (const SQLite::Exception& error) {
        throw StoreError{path + ": " + error.what()};
    }
}

void bind_blob(SQLite::Statement& statement, int index, std::span<const std::uint8_t> octets) {
    statement.bindNoCopy(index, octets.data(), static_cast<int>(octets.size()));
}

policy::Address::Bytes last_of(const policy::Prefix& prefix) {
    policy::Address::Bytes bytes = prefix.address.bytes();
    for (unsigned bit = prefix.length; bit < 128; ++bit) {
        bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
    }
    return bytes;
}

// What the narrow rows answer of a filter; the rest is is_meant().
std::string conditions(const Filter& filter) {
    std::string sql = " WHERE entry.id > :after AND entry.id <= :last";
    sql += filter.since ? " AND time >= :since" : "";
    sql += filter.case_id.empty() ? "" : " AND case_id = :case_id";
    sql += filter.client ? " AND client BETWEEN :first AND :final" : "";
    sql += filter.domain ? " AND domain = :domain" : "";
    return sql;
}

// A statement about the entries that a filter means, with what it refers to.
class Selection {
public:
    Selection(SQLite::Database& database,
              const std::string& head,
              const Filter& filter,
              Store::Position after,
              Store::Position last)
        : statement_{database, head + conditions(filter) + " ORDER BY entry.id"},
          first_{filter.client ? filter.client->address.bytes() : policy::Address::Bytes{}},
          final_{filter.client ? last_of(*filter.client) : policy::Address::Bytes{}} {
        statement_.bind(":after", after);
        statement_.bind(":last", last);
        if (filter.since) {
            statement_.bind(":since", std::int64_t{filter.since->time_since_epoch().count()});
        }
        if (!filter.case_id.empty()) {
            statement_.bind(":case_id", filter.case_id);
        }
        if (filter.client) {
            statement_.bindNoCopy(":first", first_.data(), static_cast<int>(first_.size()));
            statement_.bindNoCopy(":final", final_.data(), static_cast<int>(final_.size()));
        }
        if (filter.domain) {
            statement_.bind(":domain", policy::to_lower(*filter.domain));
        }
    }

    SQLite::Statement& statement() { return statement_; }

private:
    SQLite::Statement statement_;
    policy::Address::Bytes first_;
    policy::Address::Bytes final_;
};

std::optional<policy::Address> address_in(const SQLite::Column& column) {
    policy::Address::Bytes bytes{};
    if (column.isNull() || column.getBytes() != static_cast<int>(bytes.size())) {
        return std::nullopt;
    }
    std::memcpy(bytes.data(), column.getBlob(), bytes.size());
    return policy::Address{bytes};
}

// What has columns, of "id, time, case_id, client, domain, octets".
policy::JournalEntry columns_of(SQLite::Statement& row) {
    policy::JournalEntry entry;
    entry.time = policy::Time{std::chrono::milliseconds{row.getColumn(1).getInt64()}};
    entry.case_id = row.getColumn(2).getString();
    entry.evidence.client = address_in(row.getColumn(3));
    entry.evidence.mail_from_domain = row.getColumn(4).getString();
    return entry;
}

// The whole entry; throws StoreError.
policy::JournalEntry entry_in(SQLite::Statement& row) {
    policy::JournalEntry columns = columns_of(row);
    if (!row.getColumn(3).isNull() && !columns.evidence.client) {
        throw StoreError{"case " + policy::printable(columns.case_id) +
                         ": the entry cannot be read: it has " +
                         std::to_string(row.getColumn(3).getBytes()) + " octets for a client"};
    }
    const SQLite::Column details = row.getColumn(5); // valid until the next row
    const auto* const octets = static_cast<const std::uint8_t*>(details.getBlob());
    return with_details(std::move(columns), {octets, static_cast<std::size_t>(details.getBytes())});
}

void note(const std::string& trouble, Unreadable& unreadable) {
    if (unreadable.entries++ == 0) {
        unreadable.trouble = trouble;
    }
}

bool is_meant(const Filter& filter, const policy::JournalEntry& entry) {
    return (!filter.reason || entry.verdict.reason == filter.reason) &&
           (filter.stage.empty() || entry.verdict.stage == filter.stage);
}

// SQLite would go on with a file that has no name any more, or another one.
bool is_moved(SQLite::Database& database) {
    int moved = 0;
    sqlite3_file_control(database.getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

int flags_of(Access access) {
    // Also for readers: SQLite recovers what a killed writer has left in the log, and that writes.
    return access == Access::write ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE
                                   : SQLite::OPEN_READWRITE;
}

// For its owner alone, as the key is; SQLite gives the -wal and the -shm the same mode. What is
// there already is not opened: to close it would end the locks that this process has on it.
void make_private_file(const std::string& path) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    const int file = open(path.c_str(), flags, S_IRUSR | S_IWUSR);
    if (file >= 0) {
        close(file);
    } // else it is there, or SQLite tells what is wrong
}

void require_file(const std::string& path) {
    std::error_code error; // where there is one, SQLite tells what is wrong
    if (!std::filesystem::exists(path, error) && !error) {
        throw StoreError{path + ": is not there yet: `sixgate run` makes it when it starts"};
    }
}

} // namespace

SqliteStore::SqliteStore(const std::string& path, Access access) : path_{path} {
    if (access == Access::write) {
        make_private_file(path);
    } else {
        require_file(path);
    }
    on(path_, [&] {
        database_ = std::make_unique<SQLite::Database>(path, flags_of(access), patience_ms);
        database_->exec("PRAGMA secure_delete = ON"); // of what is trimmed little is left
        if (access == Access::read) {
            require_current(*database_, schema_steps());
            return;
        }
        database_->exec("PRAGMA journal_mode = WAL");
        database_->exec("PRAGMA synchronous = NORMAL");
        database_->exec("PRAGMA journal_size_limit = 67108864");
        migrate(*database_, schema_steps());
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

void SqliteStore::require_in_place() {
    if (is_moved(*database_)) {
        throw StoreError{path_ + ": was moved or removed"};
    }
}

void SqliteStore::append(std::span<const policy::JournalEntry> entries) {
    on(path_, [&] {
        require_in_place();
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

// One that is damaged hinders nobody from reading the others.
SqliteStore::Row SqliteStore::read_row(SQLite::Statement& row) {
    const Position position = row.getColumn(0).getInt64();
    try {
        return {position, entry_in(row), {}};
    } catch (const StoreError& error) {
        return {position, columns_of(row), error.what()};
    }
}

// The next rows that the filter means, or that cannot be read; none: there are no more.
std::vector<SqliteStore::Row>
SqliteStore::read_page(const Filter& filter, Position after, Position last) {
    return on(path_, [&] {
        Selection selection{*database_,
                            "SELECT entry.id, time, case_id, client, domain, octets "
                            "FROM entry LEFT JOIN details ON details.id = entry.id",
                            filter,
                            after,
                            last};
        SQLite::Statement& row = selection.statement();
        std::vector<Row> page;
        std::size_t octets = 0;
        while (page.size() < rows_of_page && octets < octets_of_page && row.executeStep()) {
            Row read = read_row(row);
            if (!read.trouble.empty() || is_meant(filter, read.entry)) {
                page.push_back(std::move(read));
                octets += static_cast<std::size_t>(row.getColumn(5).getBytes());
            }
        }
        return page;
    });
}

// Whoever visits may take his time, as a pager does that nobody scrolls. Nothing is open in the
// database meanwhile: it could not fold its log in, which would grow for as long.
void SqliteStore::read_rows(const Filter& filter,
                            Position after,
                            Position last,
                            const VisitRow& visit) {
    for (auto page = read_page(filter, after, last); !page.empty();
         page = read_page(filter, page.back().position, last)) {
        std::ranges::for_each(page, visit);
    }
}

Store::Reading SqliteStore::read(const Filter& filter, Position position, const Visit& visit) {
    require_in_place(); // nothing comes any more to what was moved aside
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
    return on(path_, [&] {
        Selection selection{*database_, "SELECT count(*) FROM entry", filter, 0, end()};
        selection.statement().executeStep();
        return static_cast<std::uint64_t>(selection.statement().getColumn(0).getInt64());
    });
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

// Their times are nearly in order. Where the clock was wrong for a while they are not, so each is
// looked at; and not all of millions each time.
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
        auto out_of_bounds = beyond_the_number(bounds);
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
