// The files that a configuration is made of: itself, and the lists and keys that it names.
#pragma once

#include "milter/toml_document.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace milter {

// The content of a file of at most `most` octets, or why there is none: "cannot be opened: ...".
using ReadFile = std::function<tl::expected<std::string, std::string>(const std::string& file,
                                                                      std::size_t most)>;

tl::expected<std::string, std::string> content_of(const std::string& file, std::size_t most);

// What stands in a file that the configuration names, and the fault is that it cannot be read.
OrFault<std::string> read_named_file(const TomlScalar& value,
                                     const std::string& file,
                                     std::size_t most,
                                     const ReadFile& read_file);

bool is_absolute(std::string_view path);                     // of a file
OrFault<std::string> read_path(const TomlScalar& value);     // absolute
OrFault<std::string> read_key_file(const TomlScalar& value); // the path of "file:/path"

// The key that places senders in a rollout: what is in the file, without a final newline.
OrFault<std::string> read_rollout_key(const TomlScalar& value, const ReadFile& read_file);

} // namespace milter
