#include "milter/store/redis_url.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace {

// "HOST PORT SOCKET USER DATABASE", with "tls" behind it.
std::string redis_url_parts(const std::string& text) {
    const auto url = store::parse_redis_url(text);
    if (!url) {
        return "none";
    }
    std::string parts;
    for (const auto& part : {url->host, url->port, url->socket, url->user, url->database}) {
        parts += (parts.empty() ? "" : " ") + (part.empty() ? "-" : part);
    }
    return parts + (url->is_tls ? " tls" : "");
}

} // namespace

TEST_CASE("redis url: what is read, and what is refused") {
    struct Case {
        std::string url;
        std::string parts;
    };

    const std::vector<Case> cases{
        {"redis://redis.example.org", "redis.example.org 6379 - - 0"},
        {"redis://redis.example.org/", "redis.example.org 6379 - - 0"},
        {"redis://192.0.2.1:6380/15", "192.0.2.1 6380 - - 15"},
        {"redis://[2001:db8::1]", "2001:db8::1 6379 - - 0"},
        {"rediss://six_gate@[2001:db8::1]:6380/2", "2001:db8::1 6380 - six_gate 2 tls"},
        {"unix:///run/redis/redis.sock", "- 6379 /run/redis/redis.sock - 0"},
        {"unix://sixgate@/run/redis.sock?db=3", "- 6379 /run/redis.sock sixgate 3"},
        {"", "none"},
        {"redis:", "none"},
        {"redis://", "none"},
        {"Redis://a", "none"},
        {"redis://@a", "none"},
        {"redis://a b", "none"},
        {"redis://a:", "none"},
        {"redis://a:0", "none"},
        {"redis://a:65536", "none"},
        {"redis://a:1x", "none"},
        {"redis://a/x", "none"},
        {"redis://a/-1", "none"},
        {"redis://a/1/2", "none"},
        {"redis://2001:db8::1", "none"},
        {"redis://[2001:db8::1", "none"},
        {"redis://[2001:db8::1]6379", "none"},
        {"redis://[192.0.2.1]", "none"},
        {"redis://user:secret@a", "none"},
        {"redis://:secret@a", "none"},
        {"unix://run/redis.sock", "none"},
        {"unix:///", "none"},
        {"unix:///run/redis/", "none"},
        {"unix:///a?db=", "none"},
        {"unix:///a?database=1", "none"},
        {"unix://a:secret@/b", "none"},
        {"sqlite:/a", "none"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.url);
        CHECK(redis_url_parts(c.url) == c.parts);
    }
    CHECK(redis_url_parts("unix:///" + std::string(107, 'a')) == "none");
    CHECK(redis_url_parts("redis://a\n") == "none");
}

TEST_CASE("redis url: one with a password is known, however it is written") {
    CHECK(store::has_password("redis://:secret@a"));
    CHECK(store::has_password("redis://user:se:cr@et@[2001:db8::1]:6379"));
    CHECK(store::has_password("unix://user:secret@/a"));
    CHECK_FALSE(store::has_password("redis://user@[2001:db8::1]:6379"));
    CHECK_FALSE(store::has_password("redis://a:6379"));
    CHECK_FALSE(store::has_password("sqlite:/a:b@c"));
}
