// Settings that name hosts: where to listen, whom to ask, whom to exempt.
#pragma once

#include "milter/toml_document.hpp"
#include "policy/address.hpp"
#include "policy/rules.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace milter {

// "unix:/path", "inet:PORT@HOST" or "inet6:PORT@HOST", as smfi_setconn() takes them.
OrFault<std::string> read_socket(const TomlScalar& value);
OrFault<std::vector<std::string>> read_dns_servers(const TomlValue& value); // with their ports
OrFault<std::vector<policy::Prefix>> read_networks(const TomlValue& value);
OrFault<std::vector<policy::RecipientPattern>> read_recipients(const TomlValue& value);
OrFault<std::vector<policy::RecipientPattern>> read_full_addresses(const TomlValue& value); // no *

// A port as it is written: 1 to 65535, and no 0 in front.
bool is_port(std::string_view text);

} // namespace milter
