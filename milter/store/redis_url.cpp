#include "milter/store/redis_url.hpp"

#include "policy/address.hpp"
#include "policy/ascii.hpp"
#include "policy/printable.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace store {

namespace {

constexpr std::string_view plain_scheme = "redis://";
constexpr std::string_view tls_scheme = "rediss://";
constexpr std::string_view socket_scheme = "unix://";

bool is_number(std::string_view text, std::uint32_t least, std::uint32_t most) {
    std::uint32_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && rest == end && number >= least && number <= most;
}

bool is_database(std::string_view text) {
    return is_number(text, 0, 99'999);
}

bool is_word(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return policy::is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
    });
}

// What stands before the "@" goes into `url`.
bool take_user(std::string_view& text, RedisUrl& url) {
    const auto at = text.find('@');
    if (at == std::string_view::npos) {
        return true;
    }
    url.user = text.substr(0, at);
    text.remove_prefix(at + 1);
    return is_word(url.user);
}

// What stands behind `mark`, and the mark, are taken from the text; empty where there is no mark.
std::string_view take_behind(std::string_view& text, std::string_view mark) {
    const auto at = text.find(mark);
    if (at == std::string_view::npos) {
        return {};
    }
    const auto behind = text.substr(at + mark.size());
    text = text.substr(0, at);
    return behind;
}

bool take_host(std::string_view text, RedisUrl& url) {
    if (text.starts_with('[') && text.find(']') != std::string_view::npos) {
        const auto port = take_behind(text, "]");
        url.host = text.substr(1);
        url.port = port.starts_with(':') ? port.substr(1) : url.port;
        return policy::Address::parse(url.host) && url.host.find(':') != std::string::npos &&
               (port.empty() || port.starts_with(':'));
    }
    const bool has_port = text.find(':') != std::string_view::npos;
    const auto port = take_behind(text, ":");
    url.host = text;
    url.port = has_port ? port : url.port;
    return is_word(url.host);
}

std::optional<RedisUrl> server_in(std::string_view text, RedisUrl url) {
    const bool has_database = text.find('/') != std::string_view::npos;
    const auto database = take_behind(text, "/");
    // As Redis' own tools have it, an URL may end in "/" without a number.
    url.database = has_database && !database.empty() ? database : url.database;
    if (take_user(text, url) && take_host(text, url) && is_number(url.port, 1, 65'535) &&
        is_database(url.database)) {
        return url;
    }
    return std::nullopt;
}

std::optional<RedisUrl> socket_in(std::string_view text, RedisUrl url) {
    constexpr std::size_t longest_path = 107; // sun_path of sockaddr_un, with its final NUL
    const bool has_query = text.find('?') != std::string_view::npos;
    const auto query = take_behind(text, "?");
    if (has_query && !query.starts_with("db=")) {
        return std::nullopt;
    }
    url.database = has_query ? query.substr(3) : url.database;
    if (!text.starts_with('/') && !take_user(text, url)) {
        return std::nullopt;
    }
    url.socket = text;
    const bool is_path = text.starts_with('/') && !text.ends_with('/') &&
                         text.size() <= longest_path && policy::printable(text) == text;
    return is_path && is_database(url.database) ? std::optional{url} : std::nullopt;
}

} // namespace

bool is_redis_url(std::string_view url) {
    return url.starts_with(plain_scheme) || url.starts_with(tls_scheme) ||
           url.starts_with(socket_scheme);
}

bool has_password(std::string_view url) {
    const auto at = url.rfind('@');
    const auto scheme = url.find("://");
    return is_redis_url(url) && at != std::string_view::npos &&
           url.substr(0, at).find(':', scheme + 1) != std::string_view::npos;
}

std::optional<RedisUrl> parse_redis_url(std::string_view url) {
    RedisUrl parsed;
    parsed.text = url;
    if (has_password(url)) {
        return std::nullopt;
    }
    if (url.starts_with(socket_scheme)) {
        return socket_in(url.substr(socket_scheme.size()), parsed);
    }
    parsed.is_tls = url.starts_with(tls_scheme);
    if (parsed.is_tls || url.starts_with(plain_scheme)) {
        return server_in(url.substr((parsed.is_tls ? tls_scheme : plain_scheme).size()), parsed);
    }
    return std::nullopt;
}

} // namespace store
