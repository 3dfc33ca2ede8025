// What long lists cost: the time to load one with the configuration, and to ask whether it holds a
// client or a domain. Every other question is about one that it holds. See CONTRIBUTING.md.
#include "milter/config.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t questions = 1'000'000;

// The same at each run.
class Chance {
public:
    std::uint8_t octet() { return static_cast<std::uint8_t>(engine_()); }

    std::size_t below(std::size_t end) { return static_cast<std::size_t>(engine_() % end); }

private:
    std::mt19937_64 engine_{1}; // NOLINT(cert-msc51-cpp): the same at each run
};

policy::Address client_of(Chance& chance) {
    policy::Address::Bytes bytes{0x20};
    for (std::size_t i = 1; i < bytes.size(); ++i) {
        bytes.at(i) = chance.octet();
    }
    return policy::Address{bytes};
}

// Of a /48, /56 or /64, and that network.
std::string network_of(const policy::Address& client, Chance& chance) {
    auto bytes = client.bytes();
    const std::size_t octets = 6 + chance.below(3);
    for (std::size_t i = octets; i < bytes.size(); ++i) {
        bytes.at(i) = 0;
    }
    return policy::Address{bytes}.to_string() + '/' + std::to_string(octets * 8);
}

std::string domain_of(Chance& chance) {
    std::string name;
    for (int i = 0; i < 12; ++i) {
        name += static_cast<char>('a' + chance.below(26));
    }
    return name + (chance.below(2) == 0 ? ".example.org" : ".example");
}

struct Sample {
    std::vector<policy::Address> clients;
    std::vector<std::string> domains;
};

Sample sample_of(std::size_t size, Chance& chance) {
    Sample sample;
    for (std::size_t i = 0; i < size; ++i) {
        sample.clients.push_back(client_of(chance));
        sample.domains.push_back(domain_of(chance));
    }
    return sample;
}

// Of the processor, so that what else the host does counts little.
double seconds_since(std::clock_t began) {
    return static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
}

milter::Config loaded(const std::string& key, const std::string& list, double& seconds) {
    const auto began = std::clock();
    auto config = milter::parse_config("[[stage]]\nname = 'x'\n" + key + " = '/list'\n",
                                       "bench",
                                       [&](const std::string&, std::size_t) {
                                           return tl::expected<std::string, std::string>{list};
                                       });
    seconds = seconds_since(began);
    return std::move(config.value());
}

// Nanoseconds for each question, and how many were answered with yes.
template <typename Set, typename Item>
std::pair<double, std::size_t>
asked(const Set& set, const std::vector<Item>& held, const std::vector<Item>& others) {
    std::size_t found = 0;
    const auto began = std::clock();
    for (std::size_t i = 0; i < questions; ++i) {
        const auto& from = i % 2 == 0 ? held : others;
        found += set.contains(from[i * 7919 % from.size()]) ? 1 : 0;
    }
    return {seconds_since(began) / questions * 1e9, found};
}

void print(const char* what,
           std::size_t size,
           double seconds,
           std::pair<double, std::size_t> answer) {
    std::printf("%-9s %7zu %9.2f ms %7.0f ns %5.1f%%\n",
                what,
                size,
                seconds * 1e3,
                answer.first,
                100.0 * static_cast<double>(answer.second) / questions);
}

void measure(std::size_t size) {
    Chance chance;
    const Sample held = sample_of(size, chance);
    const Sample others = sample_of(10'000, chance);
    std::string networks;
    std::string domains;
    for (std::size_t i = 0; i < size; ++i) {
        networks += network_of(held.clients[i], chance) + '\n';
        domains += held.domains[i] + '\n';
    }
    double seconds = 0;
    const auto by_network = loaded("networks_file", networks, seconds);
    print("networks",
          size,
          seconds,
          asked(*by_network.policy.stages.front().selector.networks, held.clients, others.clients));
    const auto by_domain = loaded("domains_file", domains, seconds);
    print("domains",
          size,
          seconds,
          asked(*by_domain.policy.stages.front().selector.authenticated,
                held.domains,
                others.domains));
}

} // namespace

int main() {
    std::printf("list      entries      load      match   held\n");
    for (const std::size_t size : {1U, 1'000U, 100'000U}) {
        measure(size);
    }
}
