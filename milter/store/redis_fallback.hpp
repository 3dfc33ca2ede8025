// The ledger of the fallback watch on a Redis server.
#pragma once

#include "milter/store/fallback_ledger.hpp"
#include "milter/store/redis_database.hpp"

namespace store {

class RedisFallbackLedger final : public FallbackLedger {
public:
    // As RedisDatabase: all hosts make fingerprints with the same key.
    RedisFallbackLedger(RedisAccess server,
                        const std::string& hash_key,
                        Access access,
                        const FallbackLimits& limits = {});

    std::uint64_t open(std::span<const FallbackEntry> entries, policy::Time settled) override;
    void end(std::span<const FallbackEnd> ends) override;
    Changes open_entries(policy::Time since, std::size_t most) override;
    Changes changes_after(Position position, std::size_t most) override;
    void read(policy::Time since, const Visit& visit) override;
    std::uint64_t trim(policy::Time oldest) override;
    std::uint64_t forget(const Predicate& is_meant) override;

private:
    const FallbackLimits limits_;
    RedisDatabase database_;
};

} // namespace store
