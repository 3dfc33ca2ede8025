// Counting what is distinct among what strangers choose, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace policy {

// The same for the same octets, always; two different texts in 2^64 have the same.
std::uint64_t hash_of(std::string_view octets);
std::uint64_t hash_of(std::span<const std::uint8_t> octets);

// How many distinct hashes were inserted: exactly up to `most_kept`, and within a percent beyond.
// From then on only every second hash is kept, every fourth, and so on, and counts for as many.
class Distinct {
public:
    static constexpr std::size_t most_kept = std::size_t{1} << 18U;

    void insert(std::uint64_t hash);

    std::uint64_t size() const { return std::uint64_t{kept_} << level_; }

    std::size_t octets() const { return slots_.size() * sizeof(std::uint64_t); } // beside itself

private:
    bool is_kept(std::uint64_t hash) const;
    void place(std::uint64_t hash);
    void move_to(std::size_t slots);

    std::vector<std::uint64_t> slots_; // a power of two, a quarter of them free; 0: free
    std::uint32_t kept_ = 0;
    std::uint32_t level_ = 0; // what is kept ends in so many zero bits
};

} // namespace policy
