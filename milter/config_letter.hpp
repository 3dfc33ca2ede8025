// The template of the letter to a sender's postmaster, from a file. It is read when it is needed:
// the daemon runs without it.
#pragma once

#include <tl/expected.hpp>

#include <string>

namespace milter {

// What is in the file, with nothing wrong in it; or why not, with the line: "FILE:7: there is...".
tl::expected<std::string, std::string> letter_in(const std::string& file);

} // namespace milter
