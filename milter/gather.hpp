// From what a client said to the evidence on it: the checks, asked early and awaited late
// (DESIGN.md section 10).
#pragma once

#include "milter/config.hpp"
#include "milter/verify/dkim.hpp"
#include "milter/verify/lookups.hpp"
#include "milter/verify/spf.hpp"
#include "policy/evidence.hpp"
#include "policy/rules.hpp"

#include <set>
#include <string>
#include <string_view>

namespace milter {

// What one connection has had looked up ahead. Only hints: each takes time where records are long,
// so a domain is asked for once, and not for all domains that one connection can name.
class EarlyQuestions {
public:
    // The client is known.
    void start_at_helo(verify::Resolver& resolver,
                       const policy::Evidence& evidence,
                       std::string_view authserv_id);

    // Likewise, and MAIL FROM is not the null path.
    void start_at_mail(verify::Resolver& resolver,
                       const policy::Evidence& evidence,
                       const policy::Policy& policy,
                       std::string_view authserv_id);

private:
    using Domains = std::set<std::string>;

    void start_spf(verify::Resolver& resolver, const verify::SpfRequest& request);

    static bool is_wanted(Domains& started, const std::string& domain);

    Domains spf_;
    Domains sender_domains_;
};

// All that is missing in the evidence on a message whose content has come. Blocks for DNS, until
// [policy] deadline_ms at most: what is not in by then is temperror.
void gather(policy::Evidence& evidence,
            verify::Lookups& lookups,
            verify::DkimVerifier& dkim,
            const Config& config,
            std::string_view authserv_id);

// What nothing is judged by and a sender that is refused may want to know. Blocks likewise.
void gather_for_hints(policy::Evidence& evidence, verify::Lookups& lookups);

} // namespace milter
