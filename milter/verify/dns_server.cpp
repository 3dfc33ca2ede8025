#include "milter/verify/dns_server.hpp"

#include <charconv>
#include <system_error>

namespace verify {

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc{} || rest != end || port == 0) {
        return std::nullopt;
    }
    return port;
}

std::optional<DnsServer> server_at(std::string_view address, std::optional<std::uint16_t> port) {
    const auto parsed = policy::Address::parse(address);
    if (!parsed || !port) {
        return std::nullopt;
    }
    return DnsServer{*parsed, *port};
}

} // namespace

std::optional<DnsServer> DnsServer::parse(std::string_view text) {
    constexpr std::uint16_t domain_port = 53;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos ||
            text.substr(1, close).find(':') == std::string::npos) {
            return std::nullopt;
        }
        const auto address = text.substr(1, close - 1);
        const auto rest = text.substr(close + 1);
        if (rest.empty()) {
            return server_at(address, domain_port);
        }
        return rest.starts_with(':') ? server_at(address, parse_port(rest.substr(1)))
                                     : std::nullopt;
    }
    const auto colon = text.find(':');
    const bool has_port = colon != std::string_view::npos && colon == text.rfind(':');
    if (!has_port) {
        return server_at(text, domain_port);
    }
    return server_at(text.substr(0, colon), parse_port(text.substr(colon + 1)));
}

std::string DnsServer::to_string() const {
    const std::string host =
        address.is_ipv4() ? address.to_string() : '[' + address.to_string() + ']';
    return host + ':' + std::to_string(port);
}

} // namespace verify
