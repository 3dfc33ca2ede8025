// What an MTA tells a filter of one SMTP session with one message, in turns: octets, then an
// answer.
#pragma once

#include "tests/bench/load/manifest.hpp"
#include "tests/bench/load/protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct Turn {
    Stage stage{};           // whose answer is waited for
    std::string first;       // sent first,
    std::string_view shared; // then this part of the message's packets,
    std::string last;        // then this
    bool has_answer = true;

    std::size_t size() const { return first.size() + shared.size() + last.size(); }
};

// From the connection to the end of the message. `number` makes the queue id.
std::vector<Turn> whole_dialogue(const Sample& sample, unsigned long steps, std::uint64_t number);

// As far as HELO; the client then says nothing.
std::vector<Turn> greeting(const Sample& sample, unsigned long steps);

} // namespace bench
