// The store on a Redis or Valkey server, which several hosts share. redis_scripts.hpp says what is
// there and how.
#pragma once

#include "milter/store/open_store.hpp"
#include "milter/store/redis_database.hpp"
#include "milter/store/row.hpp"
#include "milter/store/store.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace store {

class RedisStore final : public Store {
public:
    // As RedisDatabase.
    RedisStore(RedisAccess server, const std::string& hash_key, Access access);

    void append(std::span<const policy::JournalEntry> entries) override;
    Position end() override;
    Reading read(const Filter& filter, Position position, const Visit& visit) override;
    std::uint64_t count(const Filter& filter) override;
    Trimmed trim(const Bounds& bounds) override;
    Forgotten forget(const Predicate& is_meant) override;

private:
    using VisitRow = std::function<void(const Row& row)>;
    using Words = RedisDatabase::Words;

    struct Page {
        std::vector<Row> rows;
        Position looked_at = 0;
    };

    std::size_t append_batch(std::span<const policy::JournalEntry> entries);
    Page page_of(const Filter& filter, Position after, Position last);
    void read_rows(const Filter& filter, Position after, Position last, const VisitRow& visit);
    void write_anew(std::span<const Position> left_out, Position last);
    void
    copy(std::string_view token, Position after, Position last, std::span<const Position> left_out);

    RedisDatabase database_;
};

} // namespace store
