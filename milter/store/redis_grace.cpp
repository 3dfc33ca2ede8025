#include "milter/store/redis_grace.hpp"

#include "milter/store/redis_index.hpp"
#include "milter/store/redis_ledger_scripts.hpp"

#include <limits>
#include <utility>
#include <vector>

namespace store {

namespace {

constexpr RedisIndex grace_index{
    redis::grace_key, redis::grace_used_key, redis::grace_site_key, {}};
constexpr std::size_t octets_of_network = 16;
constexpr std::size_t octets_of_site = 6;

std::string text_of(std::chrono::milliseconds length) {
    return std::to_string(length.count());
}

std::string member_of(const GraceKey& key) {
    return redis::octets_of(key.network) + key.domain;
}

GraceKey grace_key_in(std::string_view member) {
    return {redis::address_from(member.substr(0, octets_of_network)),
            std::string{member.substr(std::min(member.size(), octets_of_network))}};
}

GraceRecord grace_record_in(const redis::Record& record) {
    return {redis::time_in(record, "first"),
            redis::time_in(record, "last"),
            static_cast<std::uint64_t>(redis::number_in(record, "attempts")),
            redis::time_in(record, "refused_from")};
}

} // namespace

RedisGraceLedger::RedisGraceLedger(RedisAccess server, Access access, const GraceLimits& limits)
    : limits_{limits}, database_{std::move(server), "", access} {}

// Where the answer is lost, the attempt may have been counted.
std::optional<GraceRecord>
RedisGraceLedger::count(const GraceKey& key, policy::Time time, std::chrono::milliseconds period) {
    const std::string member = member_of(key);
    const std::string record = std::string{redis::grace_key} + member;
    const std::string site = std::string{redis::grace_site_key} + member.substr(0, octets_of_site);
    const std::string now = redis::milliseconds_of(time);
    const std::string length = text_of(period);
    const std::string most = std::to_string(limits_.most);
    const std::string most_of_site = std::to_string(limits_.most_new_of_a_site);
    const std::string day = text_of(std::chrono::days{1});
    const std::string until_anew = text_of(limits_.until_anew);
    const auto reply = database_.run(redis::count_grace,
                                     {record, redis::grace_used_key, site},
                                     {member, now, length, most, most_of_site, day, until_anew});
    if (reply.items.empty()) {
        return std::nullopt;
    }
    database_.require(reply.items.size() == 4);
    redis::Record counted;
    std::size_t i = 0;
    for (const char* const name : {"first", "last", "attempts", "refused_from"}) {
        counted.emplace(name, reply.items[i++].text.value_or(""));
    }
    return grace_record_in(counted);
}

std::uint64_t RedisGraceLedger::trim(policy::Time unused_since) {
    constexpr auto all = std::numeric_limits<std::uint64_t>::max();
    return remove_older(database_, grace_index, unused_since, all);
}

void RedisGraceLedger::read(const Visit& visit) {
    scan(database_,
         grace_index,
         policy::Time::min(),
         [&](const std::string& member, const redis::Record& record) {
             visit(grace_key_in(member), grace_record_in(record));
         });
}

std::uint64_t RedisGraceLedger::forget(const Predicate& is_meant) {
    std::vector<std::string> members;
    read([&](const GraceKey& key, const GraceRecord&) {
        if (is_meant(key)) {
            members.push_back(member_of(key));
        }
    });
    return remove(database_, grace_index, members);
}

} // namespace store
