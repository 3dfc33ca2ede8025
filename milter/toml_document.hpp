// A TOML text as a list of keys, each with its place and its value. The only file that knows which
// library reads TOML, because its headers are long to compile.
#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace milter {

struct Place {
    std::uint32_t line = 0; // 1 is the first; 0: the file as a whole
    std::uint32_t column = 0;

    friend bool operator==(const Place&, const Place&) = default;
};

// What is wrong, where, and what is allowed instead.
struct Fault {
    Place place;
    std::string message;

    friend bool operator==(const Fault&, const Fault&) = default;
};

template <typename T>
using OrFault = tl::expected<T, Fault>;

struct TomlScalar {
    Place place;
    std::string_view kind; // for messages: "a string", "an array"
    // Nothing for the kinds that no setting has.
    std::variant<std::monostate, std::string, std::int64_t, bool> content;
};

// No setting is an array of arrays, so the items of an array are scalars. The keys of a table are
// entries themselves.
struct TomlValue : TomlScalar {
    std::optional<std::vector<TomlScalar>> items; // of an array
};

inline constexpr std::string_view kind_table = "a table";

struct TomlEntry {
    std::vector<std::string> path; // {"dns", "timeout_ms"}
    Place place;                   // of the key
    TomlValue value;

    std::string key() const; // "dns.timeout_ms"; what is not a bare key is quoted and printable
};

// Every key of the text, also those of tables, in the order of the text.
OrFault<std::vector<TomlEntry>> read_toml(std::string_view text);

} // namespace milter
