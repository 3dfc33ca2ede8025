// The template of the letter to a sender's postmaster, from a file.
#pragma once

#include "milter/config_file.hpp"
#include "milter/toml_values.hpp"

#include <tl/expected.hpp>

#include <string>

namespace milter {

// What is in the file, with nothing wrong in it; or why not, with the line: "FILE:7: there is...".
tl::expected<std::string, std::string> letter_in(const std::string& file);

// The same for [letter] template.
OrFault<std::string> read_letter_template(const TomlScalar& value, const ReadFile& read_file);

} // namespace milter
