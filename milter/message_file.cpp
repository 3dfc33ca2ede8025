#include "milter/message_file.hpp"

#include "policy/ascii.hpp"

#include <algorithm>
#include <cstddef>

namespace milter {

namespace {

// The first line of `text` without its end; `text` is shortened by it.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

bool is_fold(std::string_view text) {
    return text.starts_with(' ') || text.starts_with('\t');
}

// RFC 5322 section 2.2: a name is printable and has no colon.
bool is_field(std::string_view line) {
    const auto colon = line.find(':');
    return colon != std::string_view::npos && colon > 0 &&
           std::ranges::all_of(line.substr(0, colon),
                               [](char c) { return policy::is_printable(c) && c != ' '; });
}

} // namespace

MessageFile parse_message(std::string_view text) {
    MessageFile message;
    if (text.starts_with("From ")) {
        take_line(text); // a mailbox of the mbox format puts it before each message
    }
    while (is_field(text.substr(0, text.find('\n')))) {
        const std::string_view line = take_line(text);
        const auto colon = line.find(':');
        std::string value{line.substr(colon + 1)};
        while (is_fold(text)) {
            value += '\n';
            value += take_line(text);
        }
        message.fields.emplace_back(line.substr(0, colon), std::move(value));
    }
    if (text.starts_with("\n") || text.starts_with("\r\n")) {
        take_line(text);
    }
    while (!text.empty()) {
        message.body += take_line(text);
        message.body += "\r\n";
    }
    return message;
}

} // namespace milter
