// The entries of the journal as the stream of a Redis server has them, and which of them a filter
// means.
#pragma once

#include "milter/store/redis_connection.hpp"
#include "milter/store/row.hpp"
#include "milter/store/store.hpp"
#include "policy/journal.hpp"

#include <array>
#include <optional>
#include <string>

namespace store {

// Time, case id, client, domain of MAIL FROM, and the rest.
using RedisFields = std::array<std::string, 5>;

RedisFields fields_of(const policy::JournalEntry& entry);

// Of an id, "0-17"; none where it is not one of the journal's.
std::optional<Store::Position> position_in(const std::string& id);

// `item` is an item of XRANGE.
Row row_of(const RedisReply& item, Store::Position position);

// A row that cannot be read is meant where its columns do not say otherwise.
bool is_meant(const Filter& filter, const Row& row);

} // namespace store
