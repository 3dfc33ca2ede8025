#include "milter/store/redis_scripts.hpp"

namespace store::redis {

const std::string_view begin = R"lua(
redis.call('HSETNX', KEYS[1], 'version', ARGV[1])
if ARGV[2] ~= '' then redis.call('HSETNX', KEYS[1], 'hash_key', ARGV[2]) end
return redis.call('HMGET', KEYS[1], 'version', 'hash_key')
)lua";

const std::string_view append = R"lua(
local version = redis.call('HGET', KEYS[1], 'version')
if version ~= ARGV[1] then return version or '' end
local there = tonumber(redis.call('GET', KEYS[3])) or 0
local entries = (#ARGV - 2) / 5
for i = there, entries - 1 do
    local at = 3 + 5 * i
    redis.call('XADD', KEYS[2], '0-*', 't', ARGV[at], 'c', ARGV[at + 1], 'a', ARGV[at + 2],
               'd', ARGV[at + 3], 'e', ARGV[at + 4])
end
redis.call('SET', KEYS[3], math.max(entries, there), 'EX', ARGV[2])
return version
)lua";

const std::string_view page = R"lua(
local after, rows, octets, most = ARGV[1], 0, 0, tonumber(ARGV[3])
local case, domain, since = ARGV[5], ARGV[6], tonumber(ARGV[7])
local found = {}
while rows < most and octets < tonumber(ARGV[4]) do
    local entries = redis.call('XRANGE', KEYS[1], '(0-' .. after, '0-' .. ARGV[2], 'COUNT', 50)
    if #entries == 0 then return {ARGV[2], found} end
    for _, entry in ipairs(entries) do
        local fields = entry[2]
        if #fields ~= 10 or ((case == '' or fields[4] == case) and
                             (domain == '' or domain == '=' .. fields[8]) and
                             (tonumber(fields[2]) or since) >= since) then
            found[#found + 1] = entry
            octets = octets + #(fields[10] or '')
        end
    end
    rows = rows + #entries
    after = string.sub(entries[#entries][1], 3)
end
return {after, found}
)lua";

// By position, which is the order of arrival, the first ones go where there are too many. The times
// are nearly in order, so what is too old comes first. Where the clock was wrong for a while they
// are not: so all the others are looked at, too, some each time, whichever host does it. A copy
// that nobody goes on with takes memory.
const std::string_view trim = R"lua(
if redis.call('EXISTS', KEYS[3]) == 0 then redis.call('UNLINK', KEYS[4]) end
local function number(entry) return tonumber(string.sub(entry[1], 3)) end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if not first then return {0, 0} end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local rows, removed = tonumber(ARGV[3]), 0
local wanted = number(last) - tonumber(ARGV[1]) + 1
local kept_from = math.min(wanted, number(first) + rows)
if kept_from > number(first) then
    removed = redis.call('XTRIM', KEYS[1], 'MINID', string.format('0-%.0f', kept_from))
end
local function remove_old(after, count)
    local entries = redis.call('XRANGE', KEYS[1], '(0-' .. after, '+', 'COUNT', count)
    for _, entry in ipairs(entries) do
        if removed >= rows then return after end
        if (tonumber(entry[2][2]) or 0) < tonumber(ARGV[2]) then
            removed = removed + redis.call('XDEL', KEYS[1], entry[1])
        end
        after = string.sub(entry[1], 3)
    end
    return #entries < count and '0' or after
end
local after, before = '0'
repeat
    before, after = removed, remove_old(after, 100)
until removed == before or after == '0'
if removed < rows then
    local from = redis.call('HGET', KEYS[2], 'looked_at') or '0'
    local looked_at = remove_old(from, tonumber(ARGV[4]))
    redis.pcall('HSET', KEYS[2], 'looked_at', looked_at) -- not where there is no memory left
end
return {removed, (kept_from < wanted or removed >= rows) and 1 or 0}
)lua";

const std::string_view lock = R"lua(
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then return 0 end
redis.call('UNLINK', KEYS[2])
return 1
)lua";

const std::string_view copy = R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local left_out = {}
for i = 5, #ARGV do left_out['0-' .. ARGV[i]] = true end
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(0-' .. ARGV[3], '0-' .. ARGV[4])) do
    if not left_out[entry[1]] then redis.call('XADD', KEYS[3], entry[1], unpack(entry[2])) end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
)lua";

// No position is given twice: where the last one was left out, an entry has it that goes at once.
const std::string_view replace = R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local info = redis.call('XINFO', 'STREAM', KEYS[2])
local last
for i = 1, #info, 2 do if info[i] == 'last-generated-id' then last = info[i + 1] end end
local copied
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(0-' .. ARGV[2], '+')) do
    redis.call('XADD', KEYS[3], entry[1], unpack(entry[2]))
    copied = entry[1]
end
copied = copied or (redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1] or {})[1]
if copied ~= last then
    redis.call('XADD', KEYS[3], last, 'x', '')
    redis.call('XDEL', KEYS[3], last)
end
redis.call('RENAME', KEYS[2], KEYS[4])
redis.call('RENAME', KEYS[3], KEYS[2])
redis.call('UNLINK', KEYS[4], KEYS[1])
return 1
)lua";

} // namespace store::redis
