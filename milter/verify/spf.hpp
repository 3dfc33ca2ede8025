// SPF: may this client use this name? check_host() of RFC 7208 section 4.
#pragma once

#include "milter/verify/lookups.hpp"
#include "policy/address.hpp"
#include "policy/evidence.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace verify {

enum class SpfIdentity : std::uint8_t { mail_from, helo };

struct SpfRequest {
    policy::Address client;
    std::string helo;       // as given; %{h}
    std::string local_part; // of <sender> of section 4.1; empty: there is none
    std::string domain;     // of it, that is checked; as given
    std::string receiver;   // our host name, %{r}; "unknown" where there is none
    SpfIdentity identity = SpfIdentity::mail_from; // whose domain is checked
};

// The request for the identity MAIL FROM (section 2.4; the path must not be null), and for HELO
// (section 2.3: postmaster at that name). A MAIL FROM that policy::Mailbox::parse() refuses has no
// domain, and the result is none.
SpfRequest spf_request_for_mail_from(const policy::Address& client,
                                     std::string_view helo,
                                     std::string_view mail_from,
                                     std::string_view receiver);
SpfRequest spf_request_for_helo(const policy::Address& client,
                                std::string_view helo,
                                std::string_view receiver);

// Asks for the record, and for those it includes or redirects to as soon as it is in. Does not
// block. `resolver` must outlive the answers.
void start_spf(Resolver& resolver, const SpfRequest& request);

// check_host(). Blocks for DNS until the deadline of `lookups`. Never throws for what a client or
// its domain did: that is a result. The explanation is asked for only on fail.
policy::SpfEvidence check_spf(Lookups& lookups, const SpfRequest& request);

} // namespace verify
