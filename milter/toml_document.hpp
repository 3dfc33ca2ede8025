// A TOML text as a list of keys, each with its place and its value. The only file that knows which
// library reads TOML, because its headers are long to compile.
#pragma once

#include <tl/expected.hpp>

#include <chrono>
#include <cstddef>
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
    std::string file{}; // where it stands; empty: the text that is read

    friend bool operator==(const Fault&, const Fault&) = default;
};

template <typename T>
using OrFault = tl::expected<T, Fault>;

// Of a date and time with an offset; one without it depends on where it is read.
using Moment = std::chrono::sys_time<std::chrono::milliseconds>;

struct TomlScalar {
    Place place;
    std::string_view kind; // for messages: "a string", "an array"
    // Nothing for the kinds that no setting has.
    std::variant<std::monostate, std::string, std::int64_t, double, bool, Moment> content;
};

// No setting is an array of arrays, so the items of an array are scalars. The keys of a table are
// entries themselves.
struct TomlValue : TomlScalar {
    std::optional<std::vector<TomlScalar>> items; // of an array
};

inline constexpr std::string_view kind_table = "a table";

// One table of an array of tables, [[stage]].
struct TomlElement {
    std::size_t number = 0; // 1 is the first; 0: it is in no such array
    std::string name;       // what it gives as its `name`, where that is a bare key
};

struct TomlEntry {
    std::vector<std::string> path; // {"dns", "timeout_ms"}
    TomlElement element;           // that it stands in, or is
    Place place;                   // of the key
    TomlValue value;

    // "dns.timeout_ms", "stage[partners].mode", "stage[2].mode" where that has no name. What is not
    // a bare key is quoted and printable.
    std::string key() const;
};

// Every key of the text, also those of tables and of the tables of an array that stands at the top,
// in the order of the text. Such an array is an entry for each table.
OrFault<std::vector<TomlEntry>> read_toml(std::string_view text);

} // namespace milter
