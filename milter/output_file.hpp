// A file that a command makes.
#pragma once

#include <tl/expected.hpp>

#include <string>
#include <string_view>

namespace milter {

// Writes `content` to `file`; "-" is standard output. Who reads the file meanwhile, as a web server
// does, has the old content or the new one whole: it is written beside it and takes its place, with
// the owner and the mode that it had. What is no regular file is written to as it is. Links are
// followed, but neither a link nor a file is touched that somebody else has put into a folder such
// as /tmp. What went wrong names the file.
tl::expected<void, std::string> write_output(const std::string& file, std::string_view content);

// The same for a command, at its end: what went wrong is told on standard error. The exit status.
int write_or_tell(const std::string& file, std::string_view content);

} // namespace milter
