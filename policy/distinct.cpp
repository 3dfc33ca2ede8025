#include "policy/distinct.hpp"

#include <algorithm>
#include <utility>

namespace policy {

namespace {

constexpr std::size_t fewest_slots = 4;

// FNV-1a, and then the last step of splitmix64, which spreads it over all bits.
template <typename Octets>
std::uint64_t hash_of_all(Octets octets) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const auto octet : octets) {
        hash = (hash ^ static_cast<unsigned char>(octet)) * 0x100000001b3;
    }
    hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111eb;
    return hash ^ (hash >> 31U);
}

} // namespace

std::uint64_t hash_of(std::string_view octets) {
    return hash_of_all(octets);
}

std::uint64_t hash_of(std::span<const std::uint8_t> octets) {
    return hash_of_all(octets);
}

bool Distinct::is_kept(std::uint64_t hash) const {
    return (hash & ((std::uint64_t{1} << level_) - 1)) == 0;
}

void Distinct::insert(std::uint64_t hash) {
    if (!is_kept(hash)) {
        return;
    }
    if (slots_.size() * 3 <= std::size_t{kept_} * 4 + 3) {
        move_to(std::max(fewest_slots, slots_.size() * 2));
    }
    place(hash == 0 ? ~(~std::uint64_t{0} >> 1U) : hash);
    if (kept_ > most_kept) {
        ++level_;
        move_to(slots_.size());
    }
}

void Distinct::place(std::uint64_t hash) {
    const std::size_t mask = slots_.size() - 1;
    // By other bits than those of is_kept().
    std::size_t slot = static_cast<std::size_t>(hash >> 32U) & mask;
    while (slots_[slot] != 0 && slots_[slot] != hash) {
        slot = (slot + 1) & mask;
    }
    kept_ += slots_[slot] == 0 ? 1U : 0U;
    slots_[slot] = hash;
}

void Distinct::move_to(std::size_t slots) {
    const auto hashes = std::exchange(slots_, std::vector<std::uint64_t>(slots));
    kept_ = 0;
    for (const std::uint64_t hash : hashes) {
        if (hash != 0 && is_kept(hash)) {
            place(hash);
        }
    }
}

} // namespace policy
