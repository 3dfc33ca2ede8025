#include "milter/config_addresses.hpp"

#include "milter/network.hpp"
#include "milter/toml_values.hpp"
#include "policy/printable.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace milter {

namespace {

bool is_host_name(std::string_view text) {
    return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' &&
           is_all_of(text, std::string{letters} + std::string{digits} + "-.");
}

std::string_view without_brackets(std::string_view text) {
    const bool has_brackets = text.size() > 2 && text.front() == '[' && text.back() == ']';
    return has_brackets ? text.substr(1, text.size() - 2) : text;
}

bool is_unix_socket(std::string_view path) {
    // sun_path of sockaddr_un has 108 octets with the final NUL.
    return path.size() > 1 && path.size() <= 107 && path.front() == '/' && path.back() != '/' &&
           policy::printable(path) == path;
}

enum class Family : std::uint8_t { ipv4, ipv6 };

bool is_host_of(Family family, std::string_view host) {
    const auto address = policy::Address::parse(without_brackets(host));
    if (!address) {
        // An address of the other family, or a slip in one, is no name either.
        const bool is_numeric = is_all_of(host, std::string{digits} + ".");
        return is_host_name(host) && !is_numeric;
    }
    return (family == Family::ipv6) == (host.find(':') != std::string_view::npos);
}

bool is_port_at_host(Family family, std::string_view text) {
    const auto at = text.find('@');
    return at != std::string_view::npos && is_port(text.substr(0, at)) &&
           is_host_of(family, text.substr(at + 1));
}

bool is_socket(std::string_view text) {
    const auto colon = std::min(text.find(':'), text.size());
    const auto scheme = text.substr(0, colon);
    const auto rest = text.substr(std::min(colon + 1, text.size()));
    if (scheme == "unix") {
        return is_unix_socket(rest);
    }
    if (scheme == "inet") {
        return is_port_at_host(Family::ipv4, rest);
    }
    return scheme == "inet6" && is_port_at_host(Family::ipv6, rest);
}

// "192.0.2.1:53" or "[2001:db8::1]:53" for ADDR, ADDR:PORT, [ADDR] and [ADDR]:PORT; empty for
// anything else. An IPv6 address without brackets is refused: its port could not be told from it.
std::string dns_server_from(std::string_view text) {
    const bool has_bracket = text.starts_with('[');
    const auto end = has_bracket ? text.find(']') : std::min(text.find(':'), text.size());
    if (end == std::string_view::npos) {
        return {};
    }
    const auto host = text.substr(0, has_bracket ? end + 1 : end);
    const auto rest = text.substr(host.size());
    const auto port = rest.empty() ? ":53" : rest;
    const auto address = policy::Address::parse(without_brackets(host));
    const bool has_colon = host.find(':') != std::string_view::npos;
    if (!address || has_colon != has_bracket || port.front() != ':' || !is_port(port.substr(1))) {
        return {};
    }
    return std::string{host} + std::string{port};
}

OrFault<std::string> read_dns_server(const TomlScalar& value) {
    static const std::string allowed =
        R"(an address and port such as "127.0.0.1:53" or "[::1]:53")";
    return read_string(value, allowed).and_then([&](const std::string& text) {
        auto server = dns_server_from(text);
        return server.empty() ? wrong_text(value, allowed) : OrFault<std::string>{server};
    });
}

OrFault<policy::Prefix> read_network(const TomlScalar& value) {
    return read_string(value, "an address or a network")
        .and_then([&](const std::string& text) -> OrFault<policy::Prefix> {
            return parse_network(text).map_error([&](std::string message) {
                return Fault{value.place, std::move(message)};
            });
        });
}

OrFault<policy::RecipientPattern> read_recipient(const TomlScalar& value) {
    static const std::string allowed =
        R"(a recipient such as "postmaster@*", "*@example.org" or "user@example.org")";
    return read_string(value, allowed)
        .and_then([&](const std::string& text) -> OrFault<policy::RecipientPattern> {
            if (is_host_name(text) && text.find('.') != std::string::npos) {
                return fault_at(value, "write \"*@" + text + "\" for everybody at " + text);
            }
            const auto pattern = policy::RecipientPattern::parse(text);
            return pattern ? OrFault<policy::RecipientPattern>{*pattern}
                           : wrong_text(value, allowed);
        });
}

OrFault<policy::RecipientPattern> read_full_address(const TomlScalar& value) {
    return read_recipient(value).and_then(
        [&](policy::RecipientPattern pattern) -> OrFault<policy::RecipientPattern> {
            const bool is_full = pattern.local_part != "*" && pattern.domain != "*" &&
                                 policy::has_one_reading(std::get<std::string>(value.content));
            return is_full ? OrFault<policy::RecipientPattern>{std::move(pattern)}
                           : wrong_text(value, "one full address without *");
        });
}

} // namespace

bool is_port(std::string_view text) {
    return !text.empty() && text.size() <= 5 && is_all_of(text, digits) && text.front() != '0' &&
           std::stoul(std::string{text}) <= 65535;
}

OrFault<std::string> read_socket(const TomlScalar& value) {
    static const std::string allowed =
        R"("unix:/PATH", "inet:PORT@HOST" or "inet6:PORT@HOST", such as "inet:8466@127.0.0.1")";
    return read_string(value, allowed).and_then([&](const std::string& text) {
        return is_socket(text) ? OrFault<std::string>{text} : wrong_text(value, allowed);
    });
}

OrFault<std::vector<std::string>> read_dns_servers(const TomlValue& value) {
    return read_array(value, "an array of name servers", read_dns_server);
}

OrFault<std::vector<policy::Prefix>> read_networks(const TomlValue& value) {
    return read_array(value, "an array of addresses and networks", read_network);
}

OrFault<std::vector<policy::RecipientPattern>> read_recipients(const TomlValue& value) {
    return read_array(value, "an array of recipients", read_recipient);
}

OrFault<std::vector<policy::RecipientPattern>> read_full_addresses(const TomlValue& value) {
    return read_array(value, "an array of addresses", read_full_address);
}

} // namespace milter
