#include "milter/network.hpp"

#include "policy/printable.hpp"

namespace milter {

tl::expected<policy::Prefix, std::string> parse_network(std::string_view text) {
    const auto quoted = [&] { return '"' + policy::printable(text, 60) + '"'; };
    const auto prefix = policy::Prefix::parse(text);
    if (!prefix) {
        return tl::unexpected{R"(must be an address or a network such as "2001:db8:7::/48", not )" +
                              quoted()};
    }
    if (prefix->has_host_bits()) {
        return tl::unexpected{quoted() + " has bits beyond its length: write \"" +
                              policy::Prefix{prefix->first(), prefix->length}.to_string() +
                              "\" for the network or \"" + prefix->address.to_string() +
                              "\" for the address alone"};
    }
    return *prefix;
}

} // namespace milter
