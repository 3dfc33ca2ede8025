// Where a Redis or Valkey server is, as an URL tells it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace store {

struct RedisUrl {
    std::string text; // the URL: how messages name the server
    std::string host; // a name or an address without brackets; empty: a unix socket
    std::string port = "6379";
    std::string socket; // its path
    std::string user;   // empty: the default one
    std::string database = "0";
    bool is_tls = false;
};

// "redis://[USER@]HOST[:PORT][/DATABASE]", the same with rediss:// for TLS, or
// "unix://[USER@]/PATH[?db=DATABASE]". None for all else, and where a password stands in it.
std::optional<RedisUrl> parse_redis_url(std::string_view url);

// Whether it begins as one of these.
bool is_redis_url(std::string_view url);

// Such an URL, right or wrong, that must not be shown to anybody.
bool has_password(std::string_view url);

} // namespace store
