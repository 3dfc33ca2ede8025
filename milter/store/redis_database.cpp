#include "milter/store/redis_database.hpp"

#include "milter/store/redis_scripts.hpp"
#include "milter/store/store.hpp"

#include <utility>

namespace store {

RedisDatabase::RedisDatabase(RedisAccess server, const std::string& hash_key, Access access)
    : connection_{std::move(server)} {
    if (access == Access::write) {
        begin(hash_key);
        return;
    }
    const auto found = connection_.call(Words{"HGET", redis::about_key, "version"});
    if (!found.text) {
        connection_.fail("has no journal yet: `sixgate run` makes it when it starts");
    }
    require_version(found);
}

RedisReply RedisDatabase::eval(std::string_view command,
                               std::string_view script,
                               const Words& keys,
                               const Words& arguments) {
    const std::string number = std::to_string(keys.size());
    Words words{command, script, number};
    words.insert(words.end(), keys.begin(), keys.end());
    words.insert(words.end(), arguments.begin(), arguments.end());
    return connection_.call(words);
}

RedisReply RedisDatabase::run(std::string_view script, const Words& keys, const Words& arguments) {
    return eval("EVAL", script, keys, arguments);
}

RedisReply RedisDatabase::ask(std::string_view script, const Words& keys, const Words& arguments) {
    return eval("EVAL_RO", script, keys, arguments);
}

void RedisDatabase::require(bool is_as_asked) const {
    if (!is_as_asked) {
        connection_.fail("has answered something else than it was asked");
    }
}

void RedisDatabase::require_version(const RedisReply& found) const {
    const std::string version = found.text.value_or("");
    if (version != redis::schema_version) {
        connection_.fail(version.empty() ? "the journal was removed"
                                         : "is of schema version " + version +
                                               ", and this sixgate knows version " +
                                               std::string{redis::schema_version} +
                                               ": another one writes to it");
    }
}

void RedisDatabase::require_current() {
    require_version(call({"HGET", redis::about_key, "version"}));
}

void RedisDatabase::begin(const std::string& hash_key) {
    const auto found = run(redis::begin, {redis::about_key}, {redis::schema_version, hash_key});
    require(found.items.size() == 2);
    require_version(found.items[0]);
    if (!hash_key.empty() && found.items[1].text != hash_key) {
        connection_.fail("store.key is not the key by which the other hosts hash local parts: give "
                         "all of them the same file (and to change it on all of them, HDEL " +
                         std::string{redis::about_key} + " hash_key)");
    }
}

} // namespace store
