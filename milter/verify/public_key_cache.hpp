// Public keys that have been decoded before. OpenSSL 3.0 takes longer to decode an RSA key than to
// verify with it, the more so on several threads, and libopendkim has every key decoded anew.
//
// libopendkim decodes with d2i_PUBKEY_bio(3). The program has a function of that name of its own,
// which the dynamic linker prefers for all libraries (symbol interposition, ld.so(8)); it answers
// from here and otherwise does what OpenSSL's does.
#pragma once

#include <cstddef>
#include <cstdint>

namespace verify {

// Keeps so many keys, those used last; 0: none, and all is as OpenSSL has it. Some 5 KB a key. To
// begin with, none. Any thread, at any time.
void set_public_key_cache(std::size_t keys);

// Since the program began. Keys that cannot be decoded are in neither.
struct PublicKeyCounters {
    std::uint64_t decoded = 0;
    std::uint64_t reused = 0;
};

PublicKeyCounters public_key_counters();

} // namespace verify
