// Files that are wrong, and what the store says of them.
#pragma once

#include "milter/store/store.hpp"

#include <fstream>
#include <functional>
#include <ios>
#include <string>

namespace tests {

inline void write_file(const std::string& file, const std::string& octets) {
    std::ofstream{file, std::ios::binary} << octets;
}

// What the StoreError says; empty where there is none.
inline std::string trouble_with(const std::function<void()>& call) {
    try {
        call();
    } catch (const store::StoreError& error) {
        return error.what();
    }
    return "";
}

} // namespace tests
