// What Authentication-Results say of a message, and whether that is true.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

enum class Method : std::uint8_t { iprev, spf, dkim };

constexpr std::size_t method_count = 3;
constexpr std::array<std::string_view, method_count> method_words{"iprev", "spf", "dkim"};

// Of one method, in all fields of a message.
struct Found {
    bool has_pass = false;
    std::string other{}; // the first result that is no pass

    bool is_absent() const { return !has_pass && other.empty(); }
};

using Results = std::array<Found, method_count>;

// Adds what one field says (RFC 8601 section 2.2). Of SPF, what it says of MAIL FROM.
void read_results(std::string_view value, Results& results);

// `truth` is the result that a manifest expects, "-" where it expects nothing in particular.
bool agrees(const Found& found, std::string_view truth);

} // namespace bench
