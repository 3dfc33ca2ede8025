#include "milter/standard_output.hpp"

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace milter {

void flush_standard_output() {
    if (std::fflush(stdout) != 0) {
        throw std::system_error{errno, std::generic_category(), "standard output"};
    }
}

} // namespace milter
