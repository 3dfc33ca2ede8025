// Tag lists as DKIM writes them, in signatures and in key records: RFC 6376 section 3.2.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verify {

struct Tag {
    std::string name;
    std::string value; // without white space
};

struct TagList {
    std::vector<Tag> tags; // all that could be read, in order
    std::string problem;   // why this is no tag list; empty where it is one

    // The value of the first tag of that name.
    std::optional<std::string_view> find(std::string_view name) const;

    // The same, empty where the tag is absent.
    std::string_view value_of(std::string_view name) const;
};

// Never throws for what `text` is. Reads on behind what is wrong, so that a signature that cannot
// be evaluated can still be told by its domain and selector.
TagList parse_tag_list(std::string_view text);

// How often `item` stands in a list whose items are parted by colons. Case does not matter.
std::size_t count_in_list(std::string_view list, std::string_view item);

} // namespace verify
