#include "milter/store/redis_ledger_scripts.hpp"

namespace store::redis {

// A clock that is set back moves no date.
const std::string_view count_grace = R"lua(
local function text(number) return string.format('%.0f', number) end
local member, time, period = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local record = redis.call('HMGET', KEYS[1], 'first', 'last', 'attempts', 'refused_from')
local first, last, attempts, refused_from
local is_anew = record[1] and tonumber(record[2]) < time - math.max(period, tonumber(ARGV[7]))
if record[1] and not is_anew then
    first, last = tonumber(record[1]), math.max(tonumber(record[2]), time)
    attempts = tonumber(record[3]) + 1
    refused_from = math.max(tonumber(record[4]), first + period)
else
    local since = '(' .. text(time - tonumber(ARGV[6]))
    if not is_anew and (redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) or
                        redis.call('ZCOUNT', KEYS[3], since, '+inf') >= tonumber(ARGV[5])) then
        return {}
    end
    first, last, attempts, refused_from = time, time, 1, time + period
    redis.call('ZADD', KEYS[3], text(time), member)
    redis.call('PEXPIRE', KEYS[3], 2 * tonumber(ARGV[6]))
end
redis.call('ZADD', KEYS[2], text(last), member)
redis.call('HSET', KEYS[1], 'first', text(first), 'last', text(last), 'attempts', text(attempts),
           'refused_from', text(refused_from))
return {text(first), text(last), text(attempts), text(refused_from)}
)lua";

const std::string_view remove_members = R"lua(
local removed = 0
for i = 5, #ARGV do
    removed = removed + redis.call('UNLINK', ARGV[1] .. ARGV[i])
    redis.call('ZREM', KEYS[1], ARGV[i])
    if ARGV[2] ~= '' then redis.call('ZREM', ARGV[2] .. string.sub(ARGV[i], 1, 6), ARGV[i]) end
    if ARGV[3] ~= '' then redis.call('ZREM', ARGV[3], ARGV[i]) end
    if ARGV[4] ~= '' then redis.call('ZREM', ARGV[4], ARGV[i]) end
end
return removed
)lua";

const std::string_view scan_members = R"lua(
local page, found = redis.call('ZSCAN', KEYS[1], ARGV[2], 'COUNT', 500), {}
for i = 1, #page[2], 2 do
    if tonumber(page[2][i + 1]) >= tonumber(ARGV[3]) then
        local fields = redis.call('HGETALL', ARGV[1] .. page[2][i])
        if #fields > 0 then found[#found + 1] = {page[2][i], fields} end
    end
end
return {page[1], found}
)lua";

const std::string_view open_fallback = R"lua(
local most, without_room = tonumber(ARGV[2]), 0
local function has_room()
    if redis.call('ZCARD', KEYS[1]) < most then return true end
    local oldest = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[3], 'LIMIT', 0, 1)[1] or
                   redis.call('ZRANGE', KEYS[3], 0, 0)[1]
    if not oldest then return false end
    redis.call('UNLINK', ARGV[1] .. oldest)
    for i = 1, 3 do redis.call('ZREM', KEYS[i], oldest) end
    return true
end
for i = 4, #ARGV, 9 do
    local member, key, first = ARGV[i], ARGV[1] .. ARGV[i], tonumber(ARGV[i + 1])
    local there = redis.call('HGET', key, 'first')
    if there then
        redis.call('HINCRBY', key, 'attempts', ARGV[i + 2])
        if first < tonumber(there) then
            redis.call('HSET', key, 'first', ARGV[i + 1])
            redis.call('ZADD', KEYS[1], ARGV[i + 1], member)
            redis.call('ZADD', KEYS[3], 'XX', ARGV[i + 1], member)
        end
    elseif not has_room() then
        without_room = without_room + 1
    else
        redis.call('HSET', key, 'first', ARGV[i + 1], 'attempts', ARGV[i + 2],
                   'reason', ARGV[i + 3], 'stage', ARGV[i + 4], 'mail_from', ARGV[i + 5],
                   'mail_from_domain', ARGV[i + 6], 'recipient', ARGV[i + 7],
                   'network', ARGV[i + 8])
        redis.call('ZADD', KEYS[1], ARGV[i + 1], member)
        redis.call('ZADD', KEYS[2], redis.call('HINCRBY', KEYS[4], 'changes', 1), member)
    end
end
return without_room
)lua";

const std::string_view end_fallback = R"lua(
for i = 2, #ARGV, 3 do
    local key = ARGV[1] .. ARGV[i]
    local first = redis.call('HGET', key, 'first')
    if first and redis.call('HEXISTS', key, 'recovery') == 0 then
        redis.call('HSET', key, 'recovery', ARGV[i + 1], 'recovered', ARGV[i + 2])
        redis.call('ZADD', KEYS[1], redis.call('HINCRBY', KEYS[3], 'changes', 1), ARGV[i])
        redis.call('ZADD', KEYS[2], first, ARGV[i])
    end
end
return 1
)lua";

const std::string_view latest_fallback = R"lua(
local members = redis.call('ZREVRANGE', KEYS[1], ARGV[3], ARGV[3] + ARGV[4] - 1, 'WITHSCORES')
local found = {}
for i = 1, #members, 2 do
    if tonumber(members[i + 1]) < tonumber(ARGV[2]) then return {(i - 1) / 2, found} end
    local fields = redis.call('HMGET', ARGV[1] .. members[i], 'first', 'network', 'recovery')
    if fields[1] and not fields[3] then
        found[#found + 1] = {members[i], fields[1], fields[2] or ''}
    end
end
return {#members / 2, found}
)lua";

const std::string_view changed_fallback = R"lua(
local last = tonumber(redis.call('HGET', KEYS[2], 'changes') or '0')
local members = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[2], '+inf', 'WITHSCORES',
                           'LIMIT', 0, ARGV[3])
local found = {}
for i = 1, #members, 2 do
    local fields = redis.call('HMGET', ARGV[1] .. members[i], 'first', 'network', 'recovery')
    local is_open = not fields[3]
    found[#found + 1] = {members[i + 1], members[i], fields[1] or '0', is_open and 1 or 0,
                         is_open and fields[2] or ''}
end
return {last, found}
)lua";

} // namespace store::redis
