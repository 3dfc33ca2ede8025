#include "tests/bench/load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bench {

namespace {

// Each power of two has 2 to the power of `bits` places.
constexpr unsigned bits = 6;
constexpr std::uint64_t places = 1U << bits;

std::size_t place_of(std::uint64_t number) {
    if (number < places) {
        return number;
    }
    const unsigned shift = static_cast<unsigned>(std::bit_width(number)) - 1 - bits;
    return ((shift + 1) * places) + ((number >> shift) & (places - 1));
}

double middle_of(std::size_t place) {
    if (place < places) {
        return static_cast<double>(place);
    }
    const auto begin = static_cast<double>(places + place % places);
    return std::ldexp(begin + 0.5, static_cast<int>(place / places) - 1);
}

} // namespace

void Histogram::add(std::chrono::nanoseconds duration) {
    const std::int64_t number = std::max<std::int64_t>(0, duration.count());
    ++counts_.at(place_of(static_cast<std::uint64_t>(number)));
    ++count_;
}

double Histogram::quantile_ms(double share) const {
    const double wanted = std::max(1.0, std::ceil(share * static_cast<double>(count_)));
    double seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += static_cast<double>(counts_[i]);
        if (seen >= wanted) {
            return middle_of(i) / 1e6;
        }
    }
    return 0;
}

} // namespace bench
