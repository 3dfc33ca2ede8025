// The messages to send, and what is true of each of them.
#pragma once

#include "tests/bench/load/content.hpp"
#include "tests/bench/load/results.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace bench {

struct Sample {
    std::shared_ptr<Content> content;
    std::string client;      // its address
    std::string client_name; // as the MTA found it
    std::string helo;
    std::string mail_from; // without <>
    std::string rcpt;
    std::array<std::string, method_count> truth{};
    std::string kind; // latencies are told for each
};

// A sample a line, ten fields separated by tabs, written by tests/bench/corpus.py; the first `most`
// of them, or all when that is 0. Throws std::runtime_error.
std::vector<Sample> read_manifest(const std::string& file, std::size_t most);

} // namespace bench
