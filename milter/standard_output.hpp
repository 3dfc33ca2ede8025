// What a command prints, as a promise that it was.
#pragma once

namespace milter {

// All that was printed is written; throws std::system_error where it cannot be, as to a full disk.
// The last that a command does before it tells that all went well.
void flush_standard_output();

} // namespace milter
