// What a Redis server does in one step for the store, in its Lua. Each takes a few milliseconds at
// the most: it serves nobody else meanwhile.
//
// The entries are one stream, whose ids are 0-1, 0-2 and so on: the server numbers them ("0-*"),
// and no clock has a say. An entry has five fields: t, its time (milliseconds since 1970, UTC); c,
// its case id; a, the client's address (16 octets, empty: none); d, the domain of MAIL FROM in
// lower case; e, the rest (entry_details.hpp).
#pragma once

#include <string_view>

namespace store::redis {

// All of one slot of a cluster, so that a script may take several.
inline constexpr std::string_view journal_key = "{sixgate}:journal";
inline constexpr std::string_view about_key =
    "{sixgate}:about"; // a hash: version, hash_key, looked_at
inline constexpr std::string_view batch_key = "{sixgate}:batch:"; // and what names the batch
inline constexpr std::string_view copy_key = "{sixgate}:journal:copy";
inline constexpr std::string_view old_key = "{sixgate}:journal:old";   // while it is replaced
inline constexpr std::string_view lock_key = "{sixgate}:journal:lock"; // of whoever copies

inline constexpr std::string_view schema_version = "1";

// KEYS: about. ARGV: version, the check of the hash key or nothing. Makes what is missing; answers
// with the version and the check that are there.
extern const std::string_view begin;

// KEYS: about, journal, batch. ARGV: version, how long the batch is remembered (seconds), then the
// five fields of each entry. What is there of the batch is not added again. Answers with what is
// there for a version, and adds nothing where it is another.
extern const std::string_view append;

// Writes nothing. KEYS: journal. ARGV: position after which, last position, most rows to look at,
// octets that are enough, case id or nothing, "=" and a domain or nothing, the earliest time.
// Answers with the position that was looked at last, and the rows that may be meant: id and fields.
extern const std::string_view page;

// KEYS: journal, about, lock, copy. ARGV: most, the earliest time, rows to remove at the most, rows
// to look at. Answers with how many went, and with 1 where there is more, else 0.
extern const std::string_view trim;

// KEYS: lock, copy. ARGV: token, seconds. Answers with 1 for whoever may copy now.
extern const std::string_view lock;

// KEYS: lock, journal, copy. ARGV: token, seconds, position after which, last position, then those
// to leave out. Answers with 1, or 0 where the lock is lost.
extern const std::string_view copy;

// KEYS: lock, journal, copy, the old journal. ARGV: token, position after which. Copies the rest
// and puts the copy in the journal's place. Answers with 1, or 0 where the lock is lost.
extern const std::string_view replace;

} // namespace store::redis
