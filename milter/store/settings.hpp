// [store] of the configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace store {

// How a local part stands in the journal.
enum class Addresses : std::uint8_t {
    hashed, // as a keyed hash: the same one is recognised, and none can be read
    full
};

struct StoreSettings {
    // Or a server: redis_url.hpp. "none": no journal.
    std::string url = "sqlite:/var/lib/sixgate/sixgate.db";
    std::chrono::days keep{30};
    std::uint64_t max_entries = 5'000'000;
    Addresses addresses = Addresses::hashed;
    std::string key_file;      // of the hash; empty: beside the database
    std::string password_file; // of the server; empty: it wants none
    std::string ca_file;       // who signs the server's certificate; empty: whom the system trusts

    friend bool operator==(const StoreSettings&, const StoreSettings&) = default;
};

} // namespace store
