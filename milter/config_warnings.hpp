// What a configuration allows and probably does not mean.
#pragma once

#include "milter/config.hpp"
#include "milter/toml_document.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace milter {

// `entries` are those that the configuration was read from, in `file`; they give the places.
std::vector<std::string> warnings_on(const Config& config,
                                     std::span<const TomlEntry> entries,
                                     std::string_view file,
                                     Moment now);

} // namespace milter
