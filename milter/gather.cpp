#include "milter/gather.hpp"

#include "milter/verify/iprev.hpp"
#include "milter/verify/organization.hpp"
#include "milter/verify/sender_domain.hpp"
#include "policy/stage_choice.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace milter {

namespace {

using policy::DkimResult;
using policy::Evidence;
using policy::SpfResult;

// What alignment may ask for: the author's domain, the ones that are authenticated, and those of
// which it could not be told.
std::vector<std::string> domains_of(const Evidence& evidence) {
    std::vector<std::string> domains{evidence.from_domain.value_or("")};
    for (const auto* const spf : {&evidence.spf_mail_from, &evidence.spf_helo}) {
        const bool counts =
            *spf && ((*spf)->result == SpfResult::pass || (*spf)->result == SpfResult::temperror);
        if (counts) {
            domains.push_back((*spf)->domain);
        }
    }
    for (const auto& signature : *evidence.dkim) {
        if (signature.result == DkimResult::pass || signature.result == DkimResult::temperror) {
            domains.push_back(signature.sdid);
        }
    }
    std::ranges::sort(domains);
    domains.erase(std::unique(domains.begin(), domains.end()), domains.end());
    return domains;
}

// Of a domain that is its own organization nothing need be kept.
std::vector<policy::Organization> organizations_of(const std::vector<std::string>& domains) {
    std::vector<policy::Organization> organizations;
    for (const auto& domain : domains) {
        auto organizational_domain = verify::organizational_domain(domain);
        if (organizational_domain != domain) {
            organizations.push_back({domain, std::move(organizational_domain)});
        }
    }
    return organizations;
}

void gather_sender_domain(Evidence& evidence, verify::Lookups& lookups) {
    if (!evidence.mail_from_domain.empty()) {
        evidence.sender_domain = verify::check_sender_domain(lookups, evidence.mail_from_domain);
    }
}

} // namespace

bool EarlyQuestions::is_wanted(Domains& started, const std::string& domain) {
    constexpr std::size_t most_domains = 20;
    constexpr std::size_t longest_domain = 255;
    return domain.size() <= longest_domain && started.size() < most_domains &&
           started.insert(domain).second;
}

void EarlyQuestions::start_spf(verify::Resolver& resolver, const verify::SpfRequest& request) {
    if (is_wanted(spf_, request.domain)) {
        verify::start_spf(resolver, request);
    }
}

void EarlyQuestions::start_at_helo(verify::Resolver& resolver,
                                   const Evidence& evidence,
                                   std::string_view authserv_id) {
    start_spf(resolver, verify::spf_request_for_helo(*evidence.client, evidence.helo, authserv_id));
}

void EarlyQuestions::start_at_mail(verify::Resolver& resolver,
                                   const Evidence& evidence,
                                   const policy::Policy& policy,
                                   std::string_view authserv_id) {
    start_spf(resolver,
              verify::spf_request_for_mail_from(
                  *evidence.client, evidence.helo, evidence.mail_from, authserv_id));
    const std::string& domain = evidence.mail_from_domain;
    if (policy::asks_for_sender_domain(policy) && is_wanted(sender_domains_, domain)) {
        verify::start_sender_domain(resolver, domain);
    }
}

void gather(Evidence& evidence,
            verify::Lookups& lookups,
            verify::DkimVerifier& dkim,
            const Config& config,
            std::string_view authserv_id) {
    lookups.set_deadline(std::chrono::steady_clock::now() + config.deadline);
    const policy::Address& client = *evidence.client;
    // Known for the connection, unless it could not be told: then it is asked anew.
    if (!evidence.iprev || evidence.iprev->result == policy::IprevResult::temperror) {
        evidence.iprev = verify::check_iprev(lookups, client);
    }
    evidence.spf_helo = verify::check_spf(
        lookups, verify::spf_request_for_helo(client, evidence.helo, authserv_id));
    if (!evidence.mail_from.empty()) {
        evidence.spf_mail_from =
            verify::check_spf(lookups,
                              verify::spf_request_for_mail_from(
                                  client, evidence.helo, evidence.mail_from, authserv_id));
    }
    if (policy::asks_for_sender_domain(config.policy)) {
        gather_sender_domain(evidence, lookups);
    }
    evidence.dkim = dkim.end_of_message(lookups);
    evidence.organizations = organizations_of(domains_of(evidence));
}

void gather_for_hints(Evidence& evidence, verify::Lookups& lookups) {
    if (!evidence.sender_domain) {
        gather_sender_domain(evidence, lookups);
    }
}

} // namespace milter
