// The letter to a sender's postmaster: a template of ours, or of the site's, filled in.
#pragma once

#include "policy/letter.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace milter {

struct LetterFault {
    std::uint32_t line = 0; // of the template; 1 is the first
    std::string message;
};

// What is wrong with a template: an unknown placeholder, a brace that stands alone, a header field
// that is not ASCII or would have several lines, no header field or no text. Empty: nothing.
std::optional<LetterFault> fault_in_letter(std::string_view letter);

struct LetterContext {
    std::string domain;   // the recipient's, as it was asked for
    std::string site;     // ours
    std::string asked;    // asked_by()
    std::string deadline; // a date; empty: none
    std::string probe;    // empty: there is none
    std::string help_url; // may hold placeholders: help_address(); empty: there is none
};

// The message as RFC 5322 has it, but for its line ends, which are LF: header fields, a blank line
// and text. A paragraph of the text, or a header field, in which a placeholder stands for nothing
// is left out. `letter` is a template in which nothing is wrong.
std::string letter_text(std::string_view letter,
                        const policy::LetterFacts& facts,
                        const LetterContext& context);

} // namespace milter
