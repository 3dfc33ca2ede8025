// The names in braces that a reply's text may hold, and what stands for them.
#pragma once

#include "policy/reply.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace policy {

// What a text is expanded with.
struct Scene {
    const Verdict& verdict;
    const Evidence& evidence;
    const ReplyContext& context;
    std::optional<Time> refused_from{}; // empty: no date has been set
};

// The only placeholder that may have nothing to stand for: lines with it are left out then.
inline constexpr std::string_view date_placeholder = "refused_from";

bool has_placeholder(std::string_view text, std::string_view name);

// What a placeholder may put into the first line, which is not wrapped: senders' logs and bounces
// often show it alone. And into the lines after it.
inline constexpr std::size_t first_line_limit = 80;
inline constexpr std::size_t other_lines_limit = 300;

// `text` with its placeholders filled in, each with at most `limit` octets of printable ASCII.
// `text` is one that fault_in() finds nothing wrong with.
std::string expand(std::string_view text, const Scene& scene, std::size_t limit);

// The help address with what it may hold of a case, {client}, {reason} and {case}, filled in; empty
// where there is none. It is one in which fault_in_address() finds nothing wrong.
std::string help_address(const Scene& scene);

// Which placeholder `url` must not have, or which brace stands alone; empty where nothing is wrong.
std::optional<std::string> fault_in_address(std::string_view url);

} // namespace policy
