// What is no setting, and what may have been meant.
#pragma once

#include "milter/toml_document.hpp"

#include <span>
#include <string>

namespace milter {

// `keys` are those that there are, as "dns.timeout_ms".
tl::unexpected<Fault> unknown_setting(const TomlEntry& entry, std::span<const std::string> keys);

} // namespace milter
