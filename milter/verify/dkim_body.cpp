#include "milter/verify/dkim_body.hpp"

#include <algorithm>

namespace verify {

void CanonicalLength::add(std::string_view octets) {
    for (const char octet : octets) {
        add(octet);
    }
}

void CanonicalLength::add(char octet) {
    if (is_after_cr_ && octet == '\n') {
        end_line();
        return;
    }
    if (is_after_cr_) {
        count(); // a CR that ends no line is a character like any other
    }
    is_after_cr_ = octet == '\r';
    if (is_after_cr_) {
        return;
    }
    const bool is_space = octet == ' ' || octet == '\t';
    if (is_space && canonicalization_ == BodyCanonicalization::relaxed) {
        is_after_space_ = true;
    } else {
        count();
    }
}

void CanonicalLength::count() {
    line_ += is_after_space_ ? 2 : 1;
    is_after_space_ = false;
}

void CanonicalLength::end_line() {
    is_after_cr_ = false;
    is_after_space_ = false;
    if (line_ == 0) {
        ++empty_lines_;
        return;
    }
    total_ += 2 * empty_lines_ + line_ + 2;
    empty_lines_ = 0;
    line_ = 0;
}

std::uint64_t CanonicalLength::octets() const {
    const bool is_empty_simple = total_ == 0 && canonicalization_ == BodyCanonicalization::simple;
    return is_empty_simple ? 2 : total_; // section 3.4.3: an empty body is one CRLF
}

// The octet before `octets` is known, the one after them is not: a CR at the end is looked at with
// the next piece.
void BareOctets::add(std::string_view octets) {
    if (octets.empty()) {
        return;
    }
    note(last_, octets.front());
    constexpr auto none = std::string_view::npos;
    const auto followed = octets.substr(0, octets.size() - 1);
    for (auto cr = followed.find('\r'); cr != none; cr = followed.find('\r', cr + 1)) {
        note('\r', octets[cr + 1]);
    }
    for (auto lf = octets.find('\n', 1); lf != none; lf = octets.find('\n', lf + 1)) {
        note(octets[lf - 1], '\n');
    }
    last_ = octets.back();
}

void BareOctets::note(char octet, char next) {
    has_cr_ = has_cr_ || (octet == '\r' && next != '\r' && next != '\n');
    has_lf_ = has_lf_ || (octet != '\r' && next == '\n');
}

// Lines are short, so that what is looked through for a space is, too.
void LastWord::add(std::string_view octets) {
    const auto first_line = octets.substr(0, octets.find("\r\n"));
    const auto first = std::min(first_line.find_first_of(" \t"), first_line.size());
    longest_ = std::max(longest_, length_ + first);
    if (first == octets.size()) {
        length_ += octets.size();
        return;
    }
    const auto line_end = octets.rfind("\r\n");
    const auto last_line = line_end == std::string_view::npos ? octets : octets.substr(line_end);
    const auto space = last_line.find_last_of(" \t");
    length_ = last_line.size() - (space == std::string_view::npos ? 0 : space);
}

} // namespace verify
