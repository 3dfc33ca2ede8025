// The header fields of a message that only sixgate may write, and that it came with.
#pragma once

#include "milter/mta.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace milter {

class ForgedFields {
public:
    // A field of the message, in order. `authserv_id` is ours, empty where none is configured: then
    // no Authentication-Results are forged.
    void note(std::string_view name, std::string_view value, std::string_view authserv_id);

    // Has the MTA delete them. Once: a second time would hit their neighbours.
    void remove(Mta& mta);

private:
    int results_fields_ = 0; // how many Authentication-Results have come
    int policy_fields_ = 0;  // and Sixgate-Policy
    std::vector<std::pair<std::string_view, int>> forged_; // name and index, as they came
};

} // namespace milter
