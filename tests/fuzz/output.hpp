// The rules that hold for all that the program says, whoever wrote what it is about.
#pragma once

#include "policy/ascii.hpp"
#include "policy/reply.hpp"
#include "tests/fuzz/input.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace fuzz {

inline void require_printable(std::string_view text, const char* what) {
    require(std::ranges::all_of(text, policy::is_printable), what);
}

// What libmilter, Postfix and RFC 3463 ask of a reply.
inline void require_sound_reply(const policy::Reply& reply) {
    require(!reply.lines.empty() && reply.lines.size() <= 32, "a reply has 1 to 32 lines");
    std::size_t octets = 0;
    for (const auto& line : reply.lines) {
        octets += reply.code.to_string().size() + 1 + line.size() + 2;
        require_printable(line, "a reply is printable");
    }
    require(octets <= 2000, "a reply has at most 2,000 octets");
    require(reply.code.code >= 400 && reply.code.code <= 599, "a reply refuses");
    require(policy::ReplyCode::parse(reply.code.to_string()) == reply.code, "the codes agree");
}

// What stands in a header field that is inserted: folded with LF, nothing else that is not
// printable, no line that RFC 5322 section 2.1.1 forbids.
inline void require_sound_field(std::string_view value) {
    for (bool is_first = true; is_first || !value.empty(); is_first = false) {
        const auto line = take_until('\n', value);
        const bool is_folded = is_first || line.starts_with('\t') || line.starts_with(' ');
        require(is_folded && line.size() <= 998, "a field is folded");
        require_printable(line.substr(line.starts_with('\t') ? 1 : 0), "a field is printable");
    }
}

} // namespace fuzz
