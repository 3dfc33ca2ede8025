// Durations, counted in steps of less than 1.6 %.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

class Histogram {
public:
    void add(std::chrono::nanoseconds duration);

    std::uint64_t count() const { return count_; }

    // Milliseconds that the given share of the durations, 0 to 1, do not exceed; 0 if there are
    // none.
    double quantile_ms(double share) const;

private:
    std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(60U << 6U);
    std::uint64_t count_ = 0;
};

} // namespace bench
