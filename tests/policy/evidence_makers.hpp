// The ordinary message, and what may differ from it.
#pragma once

#include "policy/evidence.hpp"

#include <string>
#include <vector>

namespace tests {

inline const policy::Address client = policy::Address::parse("2001:db8:5::5").value();

inline policy::IprevEvidence iprev_pass() {
    return {policy::IprevResult::pass,
            {{"mail.example.org", policy::NameOutcome::leads_back, {client}}}};
}

inline policy::IprevEvidence iprev_fail() {
    return {policy::IprevResult::fail,
            {{"mail.example.org",
              policy::NameOutcome::elsewhere,
              {policy::Address::parse("2001:db8::7").value()}}}};
}

inline policy::SpfEvidence spf(policy::SpfResult result) {
    policy::SpfEvidence evidence;
    evidence.result = result;
    evidence.domain = "example.org";
    return evidence;
}

inline policy::DkimSignature signature(policy::DkimResult result) {
    policy::DkimSignature signature;
    signature.result = result;
    signature.sdid = "example.org";
    signature.selector = "s1";
    signature.algorithm = "rsa-sha256";
    signature.signature = "dGVzdA+/=abcdefgh";
    signature.key_bits = 2048;
    return signature;
}

// Everything passes and everything is known.
inline policy::Evidence good_evidence() {
    policy::Evidence evidence;
    evidence.client = client;
    evidence.helo = "mail.example.org";
    evidence.mail_from = "user@example.org";
    evidence.mail_from_domain = "example.org";
    evidence.recipients = {"someone@example.net"};
    evidence.iprev = iprev_pass();
    evidence.spf_mail_from = spf(policy::SpfResult::pass);
    evidence.spf_helo = spf(policy::SpfResult::none);
    evidence.spf_helo->domain = "mail.example.org";
    evidence.dkim = std::vector{signature(policy::DkimResult::pass)};
    return evidence;
}

// Neither SPF nor DKIM passes.
inline policy::Evidence unauthenticated_evidence() {
    policy::Evidence evidence = good_evidence();
    evidence.spf_mail_from = spf(policy::SpfResult::fail);
    evidence.dkim->clear();
    return evidence;
}

} // namespace tests
