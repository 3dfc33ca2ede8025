#include "milter/help_page.hpp"

#include "milter/commands.hpp"
#include "milter/html_page.hpp"
#include "milter/output_file.hpp"
#include "milter/pages.hpp"
#include "milter/setup.hpp"
#include "policy/probe.hpp"

#include <nlohmann/json.hpp>
#include <sysexits.h>

namespace milter {

std::string help_page(const HelpPage& page) {
    using Json = nlohmann::ordered_json;
    const Json values{{"site", page.site},
                      {"probe", page.probe.empty() ? Json(nullptr) : Json(page.probe)}};
    return html_page({pages::help_html, pages::help_css, pages::help_js}, values);
}

int write_help_page(const HelpPageOptions& options) {
    const auto config = load_or_tell(options.config_file);
    if (!config) {
        return EX_CONFIG;
    }
    const std::string& name = config->milter.authserv_id;
    return write_or_tell(
        options.output_file,
        help_page({name.empty() ? host_name() : name, policy::probe_address(config->policy)}));
}

} // namespace milter
