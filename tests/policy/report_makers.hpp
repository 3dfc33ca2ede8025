// Entries of a journal with known faults, for what is made of them.
#pragma once

#include "policy/decide.hpp"
#include "policy/journal.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace tests {

inline constexpr policy::Time first_noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 20} +
                                         std::chrono::hours{12}};

inline policy::Policy policy_in(policy::Mode mode) {
    policy::Policy policy;
    policy.stages.front().mode = mode;
    return policy;
}

// Clients of 2001:db8:a::/48 in this mode, the world observed.
inline policy::Policy partners_first(policy::Mode mode) {
    policy::Stage partners;
    partners.name = "partners";
    partners.mode = mode;
    partners.selector.networks =
        policy::PrefixSet{{policy::Prefix::parse("2001:db8:a::/48").value()}};
    policy::Policy policy;
    policy.stages.insert(policy.stages.begin(), partners);
    return policy;
}

// As it is journalled by `policy`, with the reply that goes with it.
inline policy::JournalEntry judged(policy::Evidence evidence, const policy::Policy& policy = {}) {
    const auto verdict = policy::decide(evidence, policy).value();
    policy::JournalEntry entry{
        first_noon, "mx.example.net", "case", "queue", std::move(evidence), verdict, std::nullopt};
    if (verdict.action == policy::Action::tempfail) {
        entry.reply = policy::ReplyCode{450, "4.7.25"};
    } else if (verdict.action == policy::Action::reject) {
        entry.reply = policy::ReplyCode{550, "5.7.25"};
    }
    return entry;
}

inline policy::Evidence evidence_from(std::string_view domain, std::string_view address) {
    policy::Evidence evidence = good_evidence();
    evidence.client = policy::Address::parse(address).value();
    evidence.mail_from_domain = domain;
    evidence.mail_from = "user@" + evidence.mail_from_domain;
    evidence.helo = "mail." + evidence.mail_from_domain;
    evidence.spf_mail_from->domain = domain;
    return evidence;
}

inline policy::Evidence without_ptr(std::string_view domain, std::string_view address) {
    policy::Evidence evidence = evidence_from(domain, address);
    evidence.iprev = policy::IprevEvidence{policy::IprevResult::permerror, {}};
    return evidence;
}

inline policy::Evidence without_name_servers(std::string_view domain, std::string_view address) {
    policy::Evidence evidence = evidence_from(domain, address);
    evidence.iprev = policy::IprevEvidence{policy::IprevResult::temperror, {}};
    return evidence;
}

} // namespace tests
