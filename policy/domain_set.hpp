// Many domain names, asked whether a name is one of them or below one.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace policy {

class DomainSet {
public:
    // "example.org" is that name alone, ".example.org" every name below it and not itself.
    void add(std::string_view domain);

    // In any case, with or without a final dot.
    bool contains(std::string_view name) const;

    bool is_empty() const { return domains_.empty(); }

    std::size_t size() const { return domains_.size(); }

    friend bool operator==(const DomainSet&, const DomainSet&) = default;

private:
    // By the octets, for a view as for a string.
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void; // NOLINT(readability-identifier-naming): as the library has it
    };

    std::unordered_set<std::string, Hash, std::equal_to<>> domains_; // in lower case
};

} // namespace policy
