// The grace ledger on a Redis server.
#pragma once

#include "milter/store/grace_ledger.hpp"
#include "milter/store/redis_database.hpp"

namespace store {

class RedisGraceLedger final : public GraceLedger {
public:
    // As RedisDatabase.
    RedisGraceLedger(RedisAccess server, Access access, const GraceLimits& limits = {});

    std::optional<GraceRecord>
    count(const GraceKey& key, policy::Time time, std::chrono::milliseconds period) override;
    std::uint64_t trim(policy::Time unused_since) override;
    void read(const Visit& visit) override;
    std::uint64_t forget(const Predicate& is_meant) override;

private:
    const GraceLimits limits_;
    RedisDatabase database_;
};

} // namespace store
