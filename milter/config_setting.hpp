// A key of the configuration and what its value is for, as a row of a table.
#pragma once

#include "milter/config_file.hpp"
#include "milter/toml_document.hpp"

#include <string_view>
#include <type_traits>
#include <utility>

namespace milter {

// `Draft` is the configuration, or a part of it, while it is read.
template <typename Draft>
struct Setting {
    std::string_view key; // "SECTION.NAME"
    OrFault<Draft> (*set)(Draft draft, const TomlValue& value, const ReadFile& read_file);

    std::string_view name() const { return key.substr(key.find('.') + 1); }
};

template <typename Object, typename Member>
auto& at(Object& object, Member member) {
    return object.*member;
}

template <typename Object, typename Part, typename... Parts>
auto& at(Object& object, Part part, Parts... parts) {
    return at(object.*part, parts...);
}

// What `read` makes of the value; it takes `read_file` where it needs files.
template <auto read>
auto read_with(const TomlValue& value, const ReadFile& read_file) {
    if constexpr (std::is_invocable_v<decltype(read), const TomlValue&, const ReadFile&>) {
        return read(value, read_file);
    } else {
        return read(value);
    }
}

// What `read` makes of the value goes where `path` leads.
template <auto read, auto... path, typename Draft>
OrFault<Draft> set(Draft draft, const TomlValue& value, const ReadFile& read_file) {
    return read_with<read>(value, read_file).map([&](auto&& content) {
        at(draft, path...) = std::forward<decltype(content)>(content);
        return std::move(draft);
    });
}

} // namespace milter
