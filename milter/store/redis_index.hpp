// The records of a ledger on a Redis server and the index that knows them
// (redis_ledger_scripts.hpp).
#pragma once

#include "milter/store/redis_database.hpp"
#include "milter/store/redis_values.hpp"
#include "policy/evidence.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

// How the keys of a ledger's records begin, and its indexes.
struct RedisIndex {
    std::string_view records;
    std::string_view members;      // of all of them, by a time
    std::string_view sites = {};   // how those of the sites begin; empty: it has none
    std::string_view changes = {}; // empty: it has none
    std::string_view ended = {};   // likewise
};

using VisitRecord = std::function<void(const std::string& member, const redis::Record& record)>;

// Each of those whose time is not before, once, in any order. Throws StoreError.
void scan(RedisDatabase& database,
          const RedisIndex& index,
          policy::Time since,
          const VisitRecord& visit);

// How many of them were there. Throws StoreError.
std::uint64_t
remove(RedisDatabase& database, const RedisIndex& index, const std::vector<std::string>& members);

// Those whose time is before. Throws StoreError.
std::uint64_t remove_older(RedisDatabase& database,
                           const RedisIndex& index,
                           policy::Time oldest,
                           std::uint64_t most_removed);

} // namespace store
