// Lines of words: for replies and for folded fields.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace policy {

// `text` broken at its spaces into lines of at most `width` octets, where words allow. The spaces
// of a quoted string (RFC 5322 section 3.2.4) are not places to break, those of
// a comment (section 3.2.2) are. Leading spaces are kept, and what follows a break begins with
// `indent`. No line for empty text but an empty one.
std::vector<std::string> wrap(std::string_view text, std::size_t width, std::string_view indent);

// The same, to `take` line by line.
void wrap(std::string_view text,
          std::size_t width,
          std::string_view indent,
          const std::function<void(std::string_view)>& take);

} // namespace policy
