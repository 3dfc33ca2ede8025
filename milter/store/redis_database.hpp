// The data of sixgate on a Redis or Valkey server, in the schema of this version.
#pragma once

#include "milter/store/open_store.hpp"
#include "milter/store/redis_connection.hpp"

#include <string>
#include <string_view>

namespace store {

// Every function may throw StoreError, which names the server.
class RedisDatabase {
public:
    using Words = RedisConnection::Words;

    // Connects. A writer makes what is missing. `hash_key` tells the keys apart by which hosts hash
    // local parts, and not what they are; empty: this one hashes none. Refuses other versions, and
    // a writer with another key.
    RedisDatabase(RedisAccess server, const std::string& hash_key, Access access);

    RedisReply call(const Words& words) { return connection_.call(words); }

    // A script, and one that writes nothing, which a replica runs as well.
    RedisReply run(std::string_view script, const Words& keys, const Words& arguments);
    RedisReply ask(std::string_view script, const Words& keys, const Words& arguments);

    void require(bool is_as_asked) const;
    void require_version(const RedisReply& found) const;

    // A later version may have taken over meanwhile: what that keeps is its own to trim.
    void require_current();

    [[noreturn]] void fail(const std::string& what) const { connection_.fail(what); }

private:
    RedisReply eval(std::string_view command,
                    std::string_view script,
                    const Words& keys,
                    const Words& arguments);
    void begin(const std::string& hash_key);

    RedisConnection connection_;
};

} // namespace store
