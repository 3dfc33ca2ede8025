// The names in braces that a reply's text may hold, and what stands for them.
#pragma once

#include "policy/reply.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace policy {

// What a text is expanded with.
struct Scene {
    const Verdict& verdict;
    const Evidence& evidence;
    const ReplyContext& context;
};

// `text` with its placeholders filled in, each with at most `limit` octets of printable ASCII.
// `text` is one that fault_in() finds nothing wrong with.
std::string expand(std::string_view text, const Scene& scene, std::size_t limit);

} // namespace policy
