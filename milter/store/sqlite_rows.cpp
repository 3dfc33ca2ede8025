#include "milter/store/sqlite_rows.hpp"

#include "milter/store/entry_details.hpp"
#include "policy/ascii.hpp"
#include "policy/printable.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstring>
#include <optional>
#include <utility>

namespace store {

namespace {

// Read at a time, into memory.
constexpr std::size_t rows_of_page = 1'000;
constexpr std::size_t octets_of_page = 4U << 20U;

// What the columns answer of a filter; the rest is is_meant_by_details().
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
          final_{filter.client ? filter.client->last().bytes() : policy::Address::Bytes{}} {
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

// One that is damaged hinders nobody from reading the others.
Row read_row(SQLite::Statement& row) {
    const Store::Position position = row.getColumn(0).getInt64();
    try {
        return {position, entry_in(row), {}};
    } catch (const StoreError& error) {
        return {position, columns_of(row), error.what()};
    }
}

} // namespace

std::vector<Row> page_of(SQLite::Database& database,
                         const Filter& filter,
                         Store::Position after,
                         Store::Position last) {
    Selection selection{database,
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
        if (!read.trouble.empty() || is_meant_by_details(filter, read.entry)) {
            page.push_back(std::move(read));
            octets += static_cast<std::size_t>(row.getColumn(5).getBytes());
        }
    }
    return page;
}

std::uint64_t count_rows(SQLite::Database& database, const Filter& filter, Store::Position last) {
    Selection selection{database, "SELECT count(*) FROM entry", filter, 0, last};
    selection.statement().executeStep();
    return static_cast<std::uint64_t>(selection.statement().getColumn(0).getInt64());
}

} // namespace store
