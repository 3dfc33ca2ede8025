#include "milter/probe_limit.hpp"

namespace milter {

namespace {

// What one holder is usually given.
policy::Address site_of(const policy::Address& client) {
    return policy::Prefix{client, client.is_ipv4() ? 120U : 48U}.first();
}

} // namespace

// Null where there is no room for another one.
unsigned* ProbeLimit::count_of(Counts& counts, const policy::Address& network) {
    const auto found = counts.find(network);
    if (found != counts.end()) {
        return &found->second;
    }
    return counts.size() < most_networks ? &counts[network] : nullptr;
}

bool ProbeLimit::allows(const policy::Address& client, policy::Time now) {
    const std::lock_guard lock{mutex_};
    const bool is_over = now - hour_began_ >= std::chrono::hours{1} || now < hour_began_;
    if (is_over) {
        hour_began_ = now;
        by_network_.clear();
        by_site_.clear();
    }
    unsigned* const of_site = count_of(by_site_, site_of(client));
    if (of_site == nullptr || *of_site >= most_of_site) {
        return false; // and no room is taken for the network
    }
    unsigned* const of_network = count_of(by_network_, policy::network_of(client).address);
    if (of_network == nullptr || *of_network >= most_an_hour) {
        return false;
    }
    ++*of_site;
    ++*of_network;
    return true;
}

} // namespace milter
