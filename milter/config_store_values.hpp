// The values that settings of [store] take.
#pragma once

#include "milter/store/settings.hpp"
#include "milter/toml_values.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace milter {

template <std::int64_t least, std::int64_t most>
OrFault<std::chrono::days> read_days(const TomlScalar& value) {
    return read_number(value, least, most).map([](std::int64_t number) {
        return std::chrono::days{number};
    });
}

template <std::int64_t least, std::int64_t most>
OrFault<std::uint64_t> read_count(const TomlScalar& value) {
    return read_number(value, least, most).map([](std::int64_t number) {
        return static_cast<std::uint64_t>(number);
    });
}

OrFault<std::string> read_store_url(const TomlScalar& value); // "sqlite:/path" or "none"
OrFault<store::Addresses> read_addresses(const TomlScalar& value);

} // namespace milter
