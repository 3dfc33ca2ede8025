// `sixgate check-config`: what is wrong with a configuration, before it is in force.
#include "milter/commands.hpp"
#include "milter/config_letter.hpp"
#include "milter/setup.hpp"
#include "milter/stage_list.hpp"

#include <fmt/format.h>
#include <sysexits.h>

#include <cstdio>
#include <optional>
#include <string>

namespace milter {

namespace {

// The daemon does without it, and `sixgate letter` does not.
std::optional<std::string> fault_in_template(const std::string& file) {
    const tl::expected<std::string, std::string> letter =
        file.empty() ? std::string{} : letter_in(file);
    return letter ? std::nullopt : std::optional{letter.error()};
}

} // namespace

int check_config(const std::string& config_file) {
    const auto config = load_named_or_default(config_file).map(with_name_servers);
    if (!config) {
        fmt::print(stderr, "{}\n", to_string(config.error()));
        return EX_CONFIG;
    }
    if (const auto fault = fault_in_template(config->letter.template_file)) {
        fmt::print(stderr, "letter.template: {}\n", *fault);
        return EX_CONFIG;
    }
    for (const auto& warning : config->warnings) {
        fmt::print(stderr, "warning: {}\n", warning);
    }
    if (config->policy.stages.size() > 1) {
        fmt::print("{}", stage_list(config->policy));
    }
    fmt::print("{}: ok\n", config_file.empty() ? default_config_file : config_file);
    return EX_OK;
}

} // namespace milter
