// A message in a file, cut into the pieces that a milter is given.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace milter {

struct MessageFile {
    // Name, and all that follows the colon, with folds as LF.
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body; // with lines ended by CRLF
};

// `text` with lines ended by CRLF or LF. What is no field ends the header, as in an MTA.
MessageFile parse_message(std::string_view text);

} // namespace milter
