// What a Redis server does in one step for the ledgers, as redis_scripts.hpp says for the journal.
//
// A record or an entry is a hash, whose key ends in what it is known by, its member: it stands in
// indexes, which are sorted sets, under that name.
#pragma once

#include <string_view>

namespace store::redis {

// first, last, attempts, refused_from: times in milliseconds since 1970, UTC. A member is the
// network (16 octets) and the domain.
inline constexpr std::string_view grace_key = "{sixgate}:grace:";
inline constexpr std::string_view grace_used_key = "{sixgate}:grace_used"; // by the last attempt
// And the octets of a /48: its records by their first attempt, of the last days.
inline constexpr std::string_view grace_site_key = "{sixgate}:grace_site:";

// first, attempts, reason, stage, mail_from, mail_from_domain, recipient, network and, of what has
// ended, recovery and recovered. A member is the fingerprint.
inline constexpr std::string_view fallback_key = "{sixgate}:fallback:";
inline constexpr std::string_view fallback_first_key = "{sixgate}:fallback_first";   // by time
inline constexpr std::string_view fallback_change_key = "{sixgate}:fallback_change"; // by number
inline constexpr std::string_view fallback_ended_key = "{sixgate}:fallback_ended";   // by time

// KEYS: record, used, site. ARGV: member, time, period, most, most of a site, and in milliseconds a
// day and how long until a record that is not used begins anew.
// Answers with the four numbers, or with none where there is no room.
extern const std::string_view count_grace;

// KEYS: index. ARGV: how the keys of the hashes begin, how those of sites do or nothing, twice what
// else is an index or nothing, then members. Answers with how many of them were there.
extern const std::string_view remove_members;

// Writes nothing. KEYS: index. ARGV: how the keys of the hashes begin, cursor, the least score.
// Answers with the next cursor, "0" at the end, and members with their hashes, some of them twice.
extern const std::string_view scan_members;

// KEYS: by first, by change, ended, about. ARGV: how the keys of the hashes begin, most, "(" and
// the time before which an entry may go to make room, then nine of each entry: member, first,
// attempts, reason, stage, mail_from, mail_from_domain, recipient, network. Answers with how many
// found no room.
extern const std::string_view open_fallback;

// KEYS: by change, ended, about. ARGV: how the keys of the hashes begin, then member, recovery and
// time of each.
extern const std::string_view end_fallback;

// Writes nothing. KEYS: by first. ARGV: how the keys of the hashes begin, the least time, rank of
// the latest to look at, how many. Answers with how many there were, and member, time and network
// of those open.
extern const std::string_view latest_fallback;

// Writes nothing. KEYS: by change. ARGV: how the keys of the hashes begin, position, most. Answers
// with number, member, time, 1 for open, and network or nothing of each.
extern const std::string_view changed_fallback;

} // namespace store::redis
