// What the errors of a Redis server mean for a journal.
#pragma once

#include <string>
#include <string_view>

namespace store {

// What is wrong and what to do, and the server's own words.
std::string what_to_do_about(std::string_view error);

} // namespace store
