// What processes use, as the kernel tells.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

namespace bench {

struct Use {
    std::chrono::nanoseconds cpu{0}; // of all threads, and of those that ended
    long resident_kib = 0;
    long threads = 0;
};

// All of them together. Throws std::runtime_error when one has ended.
Use use_of(const std::vector<pid_t>& processes);

// This process' own.
std::chrono::nanoseconds own_cpu();

} // namespace bench
