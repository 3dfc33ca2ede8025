// The values that a stage's selectors take, in the configuration and in the lists that it names.
// A list is a file with an item a line; "#" begins a comment. An empty list selects nobody, which
// nobody means: it is a fault.
#pragma once

#include "milter/config_file.hpp"
#include "milter/toml_document.hpp"
#include "policy/rules.hpp"

#include <string>
#include <vector>

namespace milter {

using Prefixes = std::vector<policy::Prefix>;
using Domains = std::vector<std::string>; // of which ".example.org" is all below it

OrFault<Prefixes> read_ipv6_networks(const TomlValue& value);
OrFault<Prefixes> read_networks_file(const TomlValue& value, const ReadFile& read_file);
OrFault<Domains> read_domains(const TomlValue& value);
OrFault<Domains> read_domains_file(const TomlValue& value, const ReadFile& read_file);
OrFault<std::vector<policy::RecipientPattern>> read_selected_recipients(const TomlValue& value);
OrFault<std::vector<policy::ListenerPattern>> read_listeners(const TomlValue& value);
OrFault<double> read_percent(const TomlScalar& value);
OrFault<policy::Time> read_time(const TomlScalar& value);

} // namespace milter
