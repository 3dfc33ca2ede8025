// What Authentication-Results say of a message, and whether that is true.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bench {

enum class Method : std::uint8_t { iprev, spf, dkim };

constexpr std::size_t method_count = 3;
constexpr std::array<std::string_view, method_count> method_words{"iprev", "spf", "dkim"};

// Of one method, in all fields of a message.
struct Found {
    bool has_pass = false;
    bool has_other = false;

    bool is_absent() const { return !has_pass && !has_other; }
};

using Results = std::array<Found, method_count>;

// Adds what one field says (RFC 8601 section 2.2).
void read_results(std::string_view value, Results& results);

// What a manifest expects: a pass, no pass, or nothing in particular.
enum class Truth : std::uint8_t { pass, no_pass, unknown };

Truth truth_from(std::string_view word);
bool agrees(const Found& found, Truth truth);

} // namespace bench
