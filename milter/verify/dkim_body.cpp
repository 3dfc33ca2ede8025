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

void BareOctets::add(std::string_view octets) {
    for (const char octet : octets) {
        has_cr_ = has_cr_ || (last_ == '\r' && octet != '\r' && octet != '\n');
        has_lf_ = has_lf_ || (last_ != '\r' && octet == '\n');
        last_ = octet;
    }
}

void LastWord::add(std::string_view octets) {
    const auto first = std::min(octets.find_first_of(" \t"), octets.find("\r\n"));
    if (first == std::string_view::npos) {
        length_ += octets.size();
        longest_ = std::max(longest_, length_);
        return;
    }
    longest_ = std::max(longest_, length_ + first);
    const auto space = octets.find_last_of(" \t");
    const auto line_end = octets.rfind("\r\n");
    const auto last = space == std::string_view::npos      ? line_end
                      : line_end == std::string_view::npos ? space
                                                           : std::max(space, line_end);
    length_ = octets.size() - last;
}

} // namespace verify
