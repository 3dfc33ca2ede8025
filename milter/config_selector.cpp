#include "milter/config_selector.hpp"

#include "milter/config_addresses.hpp"
#include "milter/network.hpp"
#include "milter/toml_values.hpp"
#include "policy/printable.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

namespace milter {

namespace {

constexpr std::size_t largest_list = 64U << 20U;

// An item of a list, or what is wrong with it.
template <typename Item>
using OrProblem = tl::expected<Item, std::string>;

// --- Items -----------------------------------------------------------------------------------

OrProblem<policy::Prefix> ipv6_network_from(std::string_view text) {
    return parse_network(text).and_then([&](policy::Prefix prefix) -> OrProblem<policy::Prefix> {
        if (prefix.address.is_ipv4()) {
            return tl::unexpected{'"' + std::string{text} +
                                  "\" is IPv4, and mail over IPv4 is never judged"};
        }
        return prefix;
    });
}

// RFC 1035 section 2.3.1, and the underscore that names have all the same.
bool is_label(std::string_view text) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789-_";
    return !text.empty() && text.size() <= 63 && is_all_of(text, allowed);
}

bool is_domain(std::string_view text) {
    if (text.empty() || text.size() > 253) {
        return false;
    }
    while (is_label(text.substr(0, text.find('.')))) {
        const auto dot = text.find('.');
        if (dot == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(dot + 1);
    }
    return false;
}

OrProblem<std::string> domain_from(std::string_view text) {
    const auto name = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
    if (is_domain(name.starts_with('.') ? name.substr(1) : name)) {
        return std::string{name};
    }
    if (name.starts_with("*.") && is_domain(name.substr(2))) {
        return tl::unexpected{"write \"" + std::string{name.substr(1)} +
                              "\" for every name below it"};
    }
    return tl::unexpected{
        R"(must be a domain in A-labels such as "example.org", or ".example.org" )"
        R"(for every name below it, not ")" +
        policy::printable(text, 60) + '"'};
}

OrProblem<policy::ListenerPattern> listener_from(std::string_view text) {
    if (!text.empty() && text.size() <= 5 && is_all_of(text, digits)) {
        return tl::unexpected{"write \":" + std::string{text} + "\" for a port"};
    }
    auto pattern = policy::ListenerPattern::parse(text);
    const bool is_meant = pattern && (pattern->port.empty() || is_port(pattern->port)) &&
                          pattern->name.find(':') == std::string::npos;
    if (!is_meant) {
        return tl::unexpected{R"(must be a listener of the MTA by its address "2001:db8::25", its )"
                              R"(port ":25", both "[2001:db8::25]:25" or its name, not ")" +
                              policy::printable(text, 60) + '"'};
    }
    return std::move(*pattern);
}

// --- Arrays ----------------------------------------------------------------------------------

// `what` is empty where it is the value itself.
template <typename Items>
OrFault<Items>
unless_empty(const TomlScalar& value, OrFault<Items> items, const std::string& what = {}) {
    if (items && items->empty()) {
        return fault_at(value,
                        what + (what.empty() ? "" : " ") +
                            "is empty and would select nobody: leave the key out, or the stage");
    }
    return items;
}

// An array of strings, of each of which `from` makes an item.
template <auto from>
auto read_items(const TomlValue& value, const std::string& allowed) {
    using Item = typename decltype(from(std::string_view{}))::value_type;
    const auto read = [&](const TomlScalar& item) {
        return read_string(item, "a string").and_then([&](const std::string& text) {
            return OrFault<Item>{from(text).map_error([&](std::string problem) {
                return Fault{item.place, std::move(problem)};
            })};
        });
    };
    return unless_empty(value, read_array(value, allowed, read));
}

// --- Lists -----------------------------------------------------------------------------------

constexpr std::string_view white_space = " \t\r";

std::string_view without_comment(std::string_view line) {
    return line.substr(0, line.find('#'));
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(white_space);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(white_space) + 1 - first);
}

// One item a line. A fault has its place in the list.
template <auto from>
auto items_of(std::string_view content, const std::string& file) {
    using Item = typename decltype(from(std::string_view{}))::value_type;
    using Items = OrFault<std::vector<Item>>;
    std::vector<Item> items;
    for (std::uint32_t number = 1; !content.empty(); ++number) {
        const auto line = content.substr(0, content.find('\n'));
        content.remove_prefix(std::min(line.size() + 1, content.size()));
        const auto text = trimmed(without_comment(line));
        if (text.empty()) {
            continue;
        }
        auto item = from(text);
        if (!item) {
            const auto column = static_cast<std::uint32_t>(text.data() - line.data()) + 1;
            return Items{tl::unexpected{Fault{{number, column}, std::move(item.error()), file}}};
        }
        items.push_back(std::move(*item));
    }
    return Items{std::move(items)};
}

template <auto from>
auto read_list(const TomlValue& value, const ReadFile& read_file) {
    const auto file = read_path(value);
    const auto content = file.and_then([&](const std::string& path) {
        return read_named_file(value, path, largest_list, read_file);
    });
    using Items = decltype(items_of<from>(*content, *file));
    if (!content) {
        return Items{tl::unexpected{content.error()}};
    }
    return unless_empty(value, items_of<from>(*content, *file), policy::printable(*file, 200));
}

} // namespace

OrFault<Prefixes> read_ipv6_networks(const TomlValue& value) {
    return read_items<ipv6_network_from>(value, "an array of IPv6 addresses and networks");
}

OrFault<Prefixes> read_networks_file(const TomlValue& value, const ReadFile& read_file) {
    return read_list<ipv6_network_from>(value, read_file);
}

OrFault<Domains> read_domains(const TomlValue& value) {
    return read_items<domain_from>(value, "an array of domains");
}

OrFault<Domains> read_domains_file(const TomlValue& value, const ReadFile& read_file) {
    return read_list<domain_from>(value, read_file);
}

OrFault<std::vector<policy::RecipientPattern>> read_selected_recipients(const TomlValue& value) {
    return unless_empty(value, read_recipients(value));
}

OrFault<std::vector<policy::ListenerPattern>> read_listeners(const TomlValue& value) {
    return read_items<listener_from>(value, "an array of listeners of the MTA");
}

OrFault<double> read_percent(const TomlScalar& value) {
    const std::string allowed = "a number from 0 to 100";
    const auto* const whole = std::get_if<std::int64_t>(&value.content);
    const auto* const fraction = std::get_if<double>(&value.content);
    if (whole == nullptr && fraction == nullptr) {
        return wrong_kind(value, allowed);
    }
    const double percent = whole != nullptr ? static_cast<double>(*whole) : *fraction;
    const bool is_in_range = percent >= 0 && percent <= 100; // and so not a NaN
    return is_in_range ? OrFault<double>{percent} : fault_at(value, "must be " + allowed);
}

OrFault<policy::Time> read_time(const TomlScalar& value) {
    if (const auto* const moment = std::get_if<Moment>(&value.content)) {
        return *moment;
    }
    return wrong_kind(value,
                      "a date and time with its offset, such as 2027-01-31T08:00:00+01:00 (no "
                      "quotes; Z is UTC), because all MX hosts must agree on it");
}

} // namespace milter
