#include "milter/network.hpp"

#include "policy/printable.hpp"

#include <cstdint>

namespace milter {

namespace {

policy::Prefix without_host_bits(const policy::Prefix& prefix) {
    auto bytes = prefix.address.bytes();
    for (unsigned bit = prefix.length; bit < 128; ++bit) {
        bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
    }
    return {policy::Address{bytes}, prefix.length};
}

} // namespace

tl::expected<policy::Prefix, std::string> parse_network(std::string_view text) {
    const auto quoted = [&] { return '"' + policy::printable(text, 60) + '"'; };
    const auto prefix = policy::Prefix::parse(text);
    if (!prefix) {
        return tl::unexpected{R"(must be an address or a network such as "2001:db8:7::/48", not )" +
                              quoted()};
    }
    if (prefix->has_host_bits()) {
        return tl::unexpected{quoted() + " has bits beyond its length: write \"" +
                              without_host_bits(*prefix).to_string() + "\" for the network or \"" +
                              prefix->address.to_string() + "\" for the address alone"};
    }
    return *prefix;
}

} // namespace milter
