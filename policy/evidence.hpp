// All that is known about one message. decide() sees nothing else.
//
// An empty optional means "not known yet"; an answer that was "nothing there" is a value. Text in
// here is as the client, its message or its zone supplied it: whoever prints it makes it printable.
#pragma once

#include "policy/address.hpp"
#include "policy/results.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace policy {

// When something happened, in UTC.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

// Where one name of the client's PTR set led.
enum class NameOutcome : std::uint8_t {
    leads_back,   // one of its addresses is the client
    elsewhere,    // it has addresses, none is the client
    no_address,   // NXDOMAIN, or no AAAA (A for an IPv4 client)
    not_looked_up // the look-up failed
};

std::string_view to_string(NameOutcome outcome);
std::optional<NameOutcome> name_outcome_from(std::string_view word);

struct IprevName {
    std::string name;
    NameOutcome outcome = NameOutcome::not_looked_up;
    std::vector<Address> addresses; // what it led to

    friend bool operator==(const IprevName&, const IprevName&) = default;
};

struct IprevEvidence {
    IprevResult result = IprevResult::temperror;
    std::vector<IprevName> names; // in the order of the answer, at most 10

    friend bool operator==(const IprevEvidence&, const IprevEvidence&) = default;
};

struct SpfEvidence {
    SpfResult result = SpfResult::none;
    std::string domain;           // that was checked, as an A-label
    std::string mechanism;        // the directive that matched, as published; empty when none did
    std::string problem;          // what stood in the way, for none, temperror and permerror
    std::string explanation;      // RFC 7208 section 6.2, for fail
    bool is_wide = false;         // passed by +all or by a prefix shorter than /16
    bool lists_only_ipv4 = false; // its record has ip4 and no ip6 (a hint, never judged by)

    friend bool operator==(const SpfEvidence&, const SpfEvidence&) = default;
};

struct DkimSignature {
    DkimResult result = DkimResult::none;
    std::string sdid;        // d=
    std::string auid;        // i=; empty when absent
    std::string selector;    // s=
    std::string algorithm;   // a=
    std::string signature;   // b= without white space
    std::string problem;     // why it does not pass, in plain words
    unsigned key_bits = 0;   // 0: not known
    bool is_testing = false; // the key says t=y

    friend bool operator==(const DkimSignature&, const DkimSignature&) = default;
};

// Whether a bounce could be delivered to the domain of MAIL FROM (RFC 5321 section 5.1).
enum class SenderDomainResult : std::uint8_t {
    reachable,   // MX, or the implicit MX with A or AAAA
    unreachable, // neither
    null_mx,     // RFC 7505
    temperror
};

struct SenderDomainEvidence {
    SenderDomainResult result = SenderDomainResult::temperror;
    bool has_ipv6 = false; // one of its hosts has an AAAA, or may have (a hint, never judged by)

    friend bool operator==(const SenderDomainEvidence&, const SenderDomainEvidence&) = default;
};

std::string_view to_string(SenderDomainResult result);
std::optional<SenderDomainResult> sender_domain_result_from(std::string_view word);

// What the ledger says of the sender in a stage with grace, this message not counted.
struct GraceEvidence {
    Time first;                 // time that it fell short
    std::uint64_t refusals = 0; // since, and before this message
    Time refused_from;          // the date that it has been told, a full minute

    friend bool operator==(const GraceEvidence&, const GraceEvidence&) = default;
};

// Where the message came in: the listener of the MTA. Any part may be empty.
struct Listener {
    std::string name;    // {daemon_name}
    std::string address; // {daemon_addr}
    std::string port;    // {daemon_port}

    friend bool operator==(const Listener&, const Listener&) = default;
};

// The domain that somebody has registered, of a name at or below it.
struct Organization {
    std::string domain;
    std::string organizational_domain;

    friend bool operator==(const Organization&, const Organization&) = default;
};

// How far the dialogue has come. What belongs to a later event is not known yet.
enum class Phase : std::uint8_t { connect, helo, mail, rcpt, end_of_message };

std::string_view to_string(Phase phase);

struct Evidence {
    Phase phase = Phase::end_of_message;
    std::optional<Time> time; // of MAIL; before it, of the connection

    // The connection.
    std::optional<Address> client; // empty: there is none (local submission)
    Listener listener;
    std::string helo;

    // The envelope.
    bool is_authenticated = false; // {auth_type} or {auth_authen} was set at MAIL
    // The mailbox of the RFC 5321 reverse-path; empty is the null path. What has no one reading
    // is kept as it came, and Mailbox::parse() refuses it. So with the recipients.
    std::string mail_from;
    std::string mail_from_domain; // as A-labels; empty where mail_from has none
    std::vector<std::string> recipients;
    std::optional<double> percentile; // of the sender in a rollout: 0 to 100, 100 not included
    bool is_over_probe_limit = false; // its network has had its share of answers to probes

    // The content, as far as it tells a postmaster what kind of mail this is. Never judged by.
    bool is_from_list = false; // it has a List-Id field (RFC 2919)
    bool is_forwarded = false; // its fields or a rewritten MAIL FROM (SRS) say so
    // Of the one From: field, as A-labels; "" where there is none, or more than one, or no reading.
    std::optional<std::string> from_domain;

    // Organizational domains (by the Public Suffix List) of from_domain and of all domains that
    // have passed SPF or DKIM, or may have; by domain, where they differ from it.
    std::vector<Organization> organizations;

    // The checks.
    std::optional<IprevEvidence> iprev;
    std::optional<SpfEvidence> spf_mail_from; // none for the null path: spf_helo speaks for it
    std::optional<SpfEvidence> spf_helo;
    std::optional<std::vector<DkimSignature>> dkim;    // known at the end of the message
    std::optional<SenderDomainEvidence> sender_domain; // where a stage asks; none for the null path

    // Where the verdict hangs on it and the ledger has told: a sender without it is new.
    std::optional<GraceEvidence> grace;

    friend bool operator==(const Evidence&, const Evidence&) = default;
};

// What stays known when a message is over: client, listener, HELO and iprev.
Evidence of_connection(Evidence evidence);

// What of a whole message was known before its recipients: none of them, no content and no check,
// because none is waited for.
Evidence before_recipients(const Evidence& evidence);

} // namespace policy
