#include "milter/help_page.hpp"

#include "milter/asked.hpp"
#include "milter/commands.hpp"
#include "milter/html_page.hpp"
#include "milter/output_file.hpp"
#include "milter/pages.hpp"
#include "milter/setup.hpp"
#include "policy/probe.hpp"

#include <nlohmann/json.hpp>
#include <sysexits.h>

#include <algorithm>

namespace milter {

namespace {

using Json = nlohmann::ordered_json;

// In the order of the stages, each once.
Json all_that_is_asked(const std::vector<policy::Requirements>& required) {
    Json all = Json::array();
    for (const auto& each : required) {
        const std::string asked = asked_by(each);
        if (!asked.empty() && std::ranges::find(all, Json(asked)) == all.end()) {
            all.push_back(asked);
        }
    }
    return all;
}

std::vector<policy::Requirements> required_by(const policy::Policy& policy) {
    std::vector<policy::Requirements> required;
    for (const auto& stage : policy.stages) {
        if (stage.mode != policy::Mode::off && stage.mode != policy::Mode::closed) {
            required.push_back(stage.requirements);
        }
    }
    return required;
}

} // namespace

std::string help_page(const HelpPage& page) {
    const Json asked = all_that_is_asked(page.required);
    const auto asks_for_both = [](const policy::Requirements& required) {
        return required.authentication == policy::Authentication::spf_and_dkim;
    };
    const auto both = std::ranges::count_if(page.required, asks_for_both);
    const bool is_both = both > 0 && both == std::ssize(page.required);
    const Json values{{"site", page.site},
                      {"probe", page.probe.empty() ? Json(nullptr) : Json(page.probe)},
                      {"asks_one", asked.size() == 1 ? asked.front() : Json(nullptr)},
                      {"asks_several", asked.size() > 1},
                      {"asked", asked},
                      {"both", is_both},
                      {"some_both", both > 0 && !is_both},
                      {"either", both == 0}};
    return html_page({pages::help_html, pages::help_css, pages::help_js}, values);
}

int write_help_page(const HelpPageOptions& options) {
    const auto config = load_or_tell(options.config_file);
    if (!config) {
        return EX_CONFIG;
    }
    const std::string& name = config->milter.authserv_id;
    return write_or_tell(options.output_file,
                         help_page({.site = name.empty() ? host_name() : name,
                                    .probe = policy::probe_address(config->policy),
                                    .required = required_by(config->policy)}));
}

} // namespace milter
