#include "milter/verify/sender_domain.hpp"

#include "policy/address.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace verify {

namespace {

using policy::SenderDomainEvidence;
using policy::SenderDomainResult;

constexpr std::size_t max_hosts = 10; // as RFC 7208 section 4.6.4 has it for MX

bool is_null_mx(const Answer& answer) {
    return answer && answer->mail_exchanges == std::vector<MailExchange>{{0, "."}};
}

// The hosts that mail for the domain goes to: of its MX, or itself where it has none. A "." beside
// others, or with another preference, is no host.
std::vector<std::string> hosts_of(std::string_view domain, const Answer& answer) {
    if (!answer && answer.error() == LookupFailure::no_record) {
        return {std::string{domain}};
    }
    auto exchanges = answer.value_or(Records{}).mail_exchanges;
    std::ranges::stable_sort(exchanges, {}, &MailExchange::preference);
    std::vector<std::string> hosts;
    for (const auto& exchange : exchanges) {
        // The question's form of the name: names that differ in case only are one.
        const auto host = Question{exchange.host, RecordType::aaaa}.name;
        const bool is_new = std::ranges::find(hosts, host) == hosts.end();
        if (is_new && !host.empty() && hosts.size() < max_hosts) {
            hosts.push_back(host);
        }
    }
    return hosts;
}

// What the look-ups of one type say of all hosts together.
enum class Found : std::uint8_t { address, nothing, not_looked_up };

Found find_address(Lookups& lookups, const std::vector<std::string>& hosts, RecordType type) {
    Found found = Found::nothing;
    for (const auto& host : hosts) {
        const Answer& answer = lookups.lookup({host, type});
        if (answer && !answer->addresses.empty()) {
            return Found::address;
        }
        if (!answer && is_temporary(answer.error())) {
            found = Found::not_looked_up;
        }
    }
    return found;
}

// A host that could not be looked up might have an address.
SenderDomainResult result_of(Found ipv6, Found ipv4) {
    if (ipv6 == Found::address || ipv4 == Found::address) {
        return SenderDomainResult::reachable;
    }
    const bool is_known = ipv6 == Found::nothing && ipv4 == Found::nothing;
    return is_known ? SenderDomainResult::unreachable : SenderDomainResult::temperror;
}

SenderDomainEvidence look_at(Lookups& lookups, const std::vector<std::string>& hosts) {
    for (const auto& host : hosts) {
        lookups.start({host, RecordType::aaaa});
        lookups.start({host, RecordType::a});
    }
    const Found ipv6 = find_address(lookups, hosts, RecordType::aaaa);
    if (ipv6 == Found::address) {
        return {SenderDomainResult::reachable, true}; // without a wait for A
    }
    const Found ipv4 = find_address(lookups, hosts, RecordType::a);
    return {result_of(ipv6, ipv4), ipv6 == Found::not_looked_up};
}

bool is_literal(std::string_view domain) {
    return domain.starts_with('[');
}

bool is_ipv6_literal(std::string_view domain) {
    return domain.find(':') != std::string_view::npos;
}

} // namespace

void start_sender_domain(Resolver& resolver, std::string_view domain) {
    if (domain.empty() || is_literal(domain)) {
        return;
    }
    const Question question{domain, RecordType::mx};
    resolver.ask(question)->then([&resolver, name = question.name](const Answer& answer) {
        if (is_null_mx(answer)) {
            return;
        }
        for (const auto& host : hosts_of(name, answer)) {
            resolver.ask({host, RecordType::aaaa});
            resolver.ask({host, RecordType::a});
        }
    });
}

SenderDomainEvidence check_sender_domain(Lookups& lookups, std::string_view domain) {
    if (domain.empty()) {
        return {SenderDomainResult::unreachable, false};
    }
    if (is_literal(domain)) {
        return {SenderDomainResult::reachable, is_ipv6_literal(domain)};
    }
    const Answer& answer = lookups.lookup({domain, RecordType::mx});
    if (!answer && is_temporary(answer.error())) {
        return {SenderDomainResult::temperror, false};
    }
    if (is_null_mx(answer)) {
        return {SenderDomainResult::null_mx, false};
    }
    return look_at(lookups, hosts_of(domain, answer));
}

} // namespace verify
