#include "milter/verify/iprev.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace verify {

namespace {

using policy::IprevName;
using policy::IprevResult;
using policy::NameOutcome;

constexpr std::size_t max_names = 10;     // as RFC 7208 section 4.6.4 has it for PTR
constexpr std::size_t max_addresses = 10; // of a name, that are kept to be told

Question reverse_question(const policy::Address& client) {
    return {client.reverse_name(), RecordType::ptr};
}

Question forward_question(const policy::Address& client, std::string_view name) {
    return {name, client.is_ipv4() ? RecordType::a : RecordType::aaaa};
}

// Without names that differ in case only: they are one.
std::vector<std::string> first_names(const policy::Address& client, const Records& records) {
    std::vector<std::string> names;
    std::vector<Question> questions;
    for (const auto& name : records.names) {
        const auto question = forward_question(client, name);
        if (names.size() < max_names && std::ranges::find(questions, question) == questions.end()) {
            names.push_back(name);
            questions.push_back(question);
        }
    }
    return names;
}

NameOutcome outcome_of(const Answer& answer, const policy::Address& client) {
    if (!answer) {
        return is_temporary(answer.error()) ? NameOutcome::not_looked_up : NameOutcome::no_address;
    }
    if (answer->addresses.empty()) {
        return NameOutcome::no_address;
    }
    const bool leads_back = std::ranges::find(answer->addresses, client) != answer->addresses.end();
    return leads_back ? NameOutcome::leads_back : NameOutcome::elsewhere;
}

IprevName look_at(Lookups& lookups, const policy::Address& client, const std::string& name) {
    const Answer& answer = lookups.lookup(forward_question(client, name));
    IprevName looked_at{name, outcome_of(answer, client), {}};
    if (answer) {
        looked_at.addresses = answer->addresses;
        looked_at.addresses.resize(std::min(looked_at.addresses.size(), max_addresses));
    }
    return looked_at;
}

// A name that could not be looked up might have been the right one.
IprevResult result_of(const std::vector<IprevName>& names) {
    const auto any = [&](NameOutcome outcome) {
        return std::ranges::find(names, outcome, &IprevName::outcome) != names.end();
    };
    if (any(NameOutcome::leads_back)) {
        return IprevResult::pass;
    }
    return any(NameOutcome::not_looked_up) ? IprevResult::temperror : IprevResult::fail;
}

} // namespace

void start_iprev(Resolver& resolver, const policy::Address& client) {
    resolver.ask(reverse_question(client))->then([&resolver, client](const Answer& answer) {
        for (const auto& name : first_names(client, answer.value_or(Records{}))) {
            resolver.ask(forward_question(client, name));
        }
    });
}

policy::IprevEvidence check_iprev(Lookups& lookups, const policy::Address& client) {
    const Answer& reverse = lookups.lookup(reverse_question(client));
    if (!reverse && is_temporary(reverse.error())) {
        return {IprevResult::temperror, {}};
    }
    const auto names = first_names(client, reverse.value_or(Records{}));
    if (names.empty()) {
        return {IprevResult::permerror, {}};
    }
    for (const auto& name : names) {
        lookups.start(forward_question(client, name));
    }
    policy::IprevEvidence evidence;
    for (const auto& name : names) {
        evidence.names.push_back(look_at(lookups, client, name));
    }
    evidence.result = result_of(evidence.names);
    return evidence;
}

} // namespace verify
