// The values that settings of [store] take.
#pragma once

#include "milter/config.hpp"
#include "milter/store/settings.hpp"
#include "milter/toml_values.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
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

// "sqlite:/path", what store::parse_redis_url() reads, or "none".
OrFault<std::string> read_store_url(const TomlScalar& value);
OrFault<store::Addresses> read_addresses(const TomlScalar& value);

struct StoreProblem {
    const TomlEntry& entry; // where it shows
    std::string message;
};

// What is wrong with the store of a configuration that was read from `entries`, and with what needs
// one, each of which is right by itself.
std::optional<StoreProblem> problem_in(const Config& config, std::span<const TomlEntry> entries);

} // namespace milter
