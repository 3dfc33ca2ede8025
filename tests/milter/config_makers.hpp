// Configurations as texts, with what they name in memory.
#pragma once

#include "milter/config.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

using Files = std::map<std::string, std::string>;

inline tl::expected<milter::Config, milter::ConfigError> parsed(std::string_view text,
                                                                const Files& files = {}) {
    using Content = tl::expected<std::string, std::string>;
    static const Content missing{tl::unexpect, "cannot be opened"};
    const auto read_file = [&](const std::string& file, std::size_t most) {
        REQUIRE(most >= 4'096);
        const auto found = files.find(file);
        return found == files.end() ? missing : Content{found->second};
    };
    return milter::parse_config(text, "sixgate.toml", read_file);
}

// "accepted", or the error.
inline std::string outcome_of(const tl::expected<milter::Config, milter::ConfigError>& config) {
    return config ? "accepted" : to_string(config.error());
}

inline std::string outcome_of(std::string_view text, const Files& files = {}) {
    return outcome_of(parsed(text, files));
}

// Of a text that must be right.
inline milter::Config config_of(std::string_view text, const Files& files = {}) {
    auto config = parsed(text, files);
    REQUIRE_MESSAGE(config.has_value(), outcome_of(config));
    return std::move(*config);
}

// A stage with these keys; the first of them is in line 3.
inline std::string stage_text(const std::string& keys) {
    return "[[stage]]\nname = 'x'\n" + keys + '\n';
}

inline policy::Stage
stage_of(const std::string& keys, const std::string& before = "", const Files& files = {}) {
    return config_of(before + '\n' + stage_text(keys), files).policy.stages.front();
}

inline const std::string rollout = "[rollout]\nkey = 'file:/rollout.key'";
inline const Files rollout_files{{"/rollout.key", "0123456789abcdef\n"}};
