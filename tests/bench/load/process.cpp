#include "tests/bench/load/process.hpp"

#include <cstdint>
#include <ctime>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>

namespace bench {

namespace {

std::chrono::nanoseconds time_of(clockid_t clock) {
    timespec time{};
    if (::clock_gettime(clock, &time) != 0) {
        throw std::runtime_error{"a process under test has ended"};
    }
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

std::chrono::nanoseconds cpu_of(pid_t process) {
    clockid_t clock{};
    if (::clock_getcpuclockid(process, &clock) != 0) {
        throw std::runtime_error{"a process under test has ended"};
    }
    return time_of(clock);
}

} // namespace

Use use_of(const std::vector<pid_t>& processes) {
    Use use;
    for (const pid_t process : processes) {
        use.cpu += cpu_of(process);
        std::ifstream status{"/proc/" + std::to_string(process) + "/status"};
        for (std::string key; status >> key;) {
            long number = 0;
            if ((key == "VmRSS:" || key == "Threads:") && status >> number) {
                (key == "VmRSS:" ? use.resident_kib : use.threads) += number;
            }
            status.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
        }
    }
    return use;
}

std::chrono::nanoseconds own_cpu() {
    return time_of(CLOCK_PROCESS_CPUTIME_ID);
}

} // namespace bench
