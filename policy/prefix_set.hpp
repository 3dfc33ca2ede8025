// Many prefixes, asked whether one of them holds an address: by binary search, so that a hundred
// thousand cost what one does.
#pragma once

#include "policy/address.hpp"

#include <cstddef>
#include <vector>

namespace policy {

class PrefixSet {
public:
    PrefixSet() = default;
    explicit PrefixSet(const std::vector<Prefix>& prefixes); // may overlap

    bool contains(const Address& address) const;

    bool is_empty() const { return ranges_.empty(); }

    std::size_t size() const { return ranges_.size(); } // after those within others are gone

    friend bool operator==(const PrefixSet&, const PrefixSet&) = default;

private:
    struct Range {
        Address first;
        Address last;

        friend bool operator==(const Range&, const Range&) = default;
    };

    std::vector<Range> ranges_; // ascending, without overlap
};

} // namespace policy
