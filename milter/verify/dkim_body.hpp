// The length of a body as DKIM counts it: RFC 6376 section 3.4. libopendkim counts no further than
// l= says, so that it cannot tell whether anything was appended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace verify {

enum class BodyCanonicalization : std::uint8_t { simple, relaxed };

class CanonicalLength {
public:
    explicit CanonicalLength(BodyCanonicalization canonicalization)
        : canonicalization_{canonicalization} {}

    // Any piece of the body, whose lines end with CRLF, the last one too.
    void add(std::string_view octets);

    std::uint64_t octets() const;

private:
    void add(char octet);
    void count();
    void end_line();

    BodyCanonicalization canonicalization_;
    bool is_after_cr_ = false;
    bool is_after_space_ = false;   // relaxed: white space that counts one, unless the line ends
    std::uint64_t line_ = 0;        // octets of the line so far
    std::uint64_t empty_lines_ = 0; // that count only when another line follows
    std::uint64_t total_ = 0;
};

// CR and LF that make no line end, in a text that comes in pieces. No mail has them (RFC 5322
// section 2.3), and libopendkim leaves a CR out of a relaxed body, and octets beside an LF out of a
// simple one.
class BareOctets {
public:
    void add(std::string_view octets);

    bool spoil(BodyCanonicalization canonicalization) const {
        return canonicalization == BodyCanonicalization::relaxed ? has_cr_ : has_lf_;
    }

private:
    void note(char octet, char next);

    char last_ = '\0';
    bool has_cr_ = false; // followed by neither CR nor LF
    bool has_lf_ = false;
};

// The longest stretch without white space at the end of a text that comes in pieces.
class LastWord {
public:
    void add(std::string_view octets);

    std::size_t longest() const { return longest_; }

private:
    std::size_t length_ = 0;
    std::size_t longest_ = 0;
};

} // namespace verify
