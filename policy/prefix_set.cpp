#include "policy/prefix_set.hpp"

#include <algorithm>
#include <iterator>

namespace policy {

PrefixSet::PrefixSet(const std::vector<Prefix>& prefixes) {
    std::vector<Range> all;
    all.reserve(prefixes.size());
    std::ranges::transform(prefixes, std::back_inserter(all), [](const Prefix& prefix) {
        return Range{prefix.address, prefix.last()};
    });
    std::ranges::sort(all, {}, &Range::first);
    // Two prefixes are apart, or one is within the other; of those that begin alike none is lost.
    for (const Range& range : all) {
        if (ranges_.empty() || ranges_.back().last < range.first) {
            ranges_.push_back(range);
        } else {
            ranges_.back().last = std::max(ranges_.back().last, range.last);
        }
    }
}

bool PrefixSet::contains(const Address& address) const {
    const auto after = std::ranges::upper_bound(ranges_, address, {}, &Range::first);
    return after != ranges_.begin() && address <= std::prev(after)->last;
}

} // namespace policy
