// Enumerators as the numbers that entry.proto has for them. Only for entry_details.cpp.
#pragma once

#include "milter/store/entry.pb.h"
#include "policy/evidence.hpp"
#include "policy/results.hpp"
#include "policy/rules.hpp"
#include "policy/verdict.hpp"

#include <cstdint>
#include <optional>

namespace store {

// No default: an enumerator that is added has no number yet, and the compiler says so.

constexpr proto::Action number_of(policy::Action action) {
    switch (action) {
    case policy::Action::accept: return proto::ACTION_ACCEPT;
    case policy::Action::tempfail: return proto::ACTION_TEMPFAIL;
    case policy::Action::reject: return proto::ACTION_REJECT;
    }
    return proto::ACTION_LEFT_OUT;
}

constexpr proto::Mode number_of(policy::Mode mode) {
    switch (mode) {
    case policy::Mode::off: return proto::MODE_OFF;
    case policy::Mode::observe: return proto::MODE_OBSERVE;
    case policy::Mode::tag: return proto::MODE_TAG;
    case policy::Mode::soft: return proto::MODE_SOFT;
    case policy::Mode::enforce: return proto::MODE_ENFORCE;
    case policy::Mode::closed: return proto::MODE_CLOSED;
    }
    return proto::MODE_LEFT_OUT;
}

constexpr proto::Reason number_of(policy::Reason reason) {
    switch (reason) {
    case policy::Reason::reverse_name_missing: return proto::REASON_REVERSE_NAME_MISSING;
    case policy::Reason::reverse_name_mismatch: return proto::REASON_REVERSE_NAME_MISMATCH;
    case policy::Reason::reverse_name_temperror: return proto::REASON_REVERSE_NAME_TEMPERROR;
    case policy::Reason::unauthenticated: return proto::REASON_UNAUTHENTICATED;
    case policy::Reason::unaligned: return proto::REASON_UNALIGNED;
    case policy::Reason::authentication_temperror: return proto::REASON_AUTHENTICATION_TEMPERROR;
    case policy::Reason::dkim_temperror: return proto::REASON_DKIM_TEMPERROR;
    case policy::Reason::sender_domain_unreachable: return proto::REASON_SENDER_DOMAIN_UNREACHABLE;
    case policy::Reason::sender_domain_null_mx: return proto::REASON_SENDER_DOMAIN_NULL_MX;
    case policy::Reason::sender_domain_temperror: return proto::REASON_SENDER_DOMAIN_TEMPERROR;
    case policy::Reason::closed: return proto::REASON_CLOSED;
    }
    return proto::REASON_LEFT_OUT;
}

constexpr proto::Exemption number_of(policy::Exemption exemption) {
    switch (exemption) {
    case policy::Exemption::ipv4: return proto::EXEMPTION_IPV4;
    case policy::Exemption::local: return proto::EXEMPTION_LOCAL;
    case policy::Exemption::network: return proto::EXEMPTION_NETWORK;
    case policy::Exemption::authenticated: return proto::EXEMPTION_AUTHENTICATED;
    case policy::Exemption::recipients: return proto::EXEMPTION_RECIPIENTS;
    }
    return proto::EXEMPTION_LEFT_OUT;
}

constexpr proto::NameOutcome number_of(policy::NameOutcome outcome) {
    switch (outcome) {
    case policy::NameOutcome::leads_back: return proto::NAME_LEADS_BACK;
    case policy::NameOutcome::elsewhere: return proto::NAME_ELSEWHERE;
    case policy::NameOutcome::no_address: return proto::NAME_NO_ADDRESS;
    case policy::NameOutcome::not_looked_up: return proto::NAME_NOT_LOOKED_UP;
    }
    return proto::NAME_LEFT_OUT;
}

constexpr proto::IprevResult number_of(policy::IprevResult result) {
    switch (result) {
    case policy::IprevResult::pass: return proto::IPREV_PASS;
    case policy::IprevResult::fail: return proto::IPREV_FAIL;
    case policy::IprevResult::temperror: return proto::IPREV_TEMPERROR;
    case policy::IprevResult::permerror: return proto::IPREV_PERMERROR;
    }
    return proto::IPREV_LEFT_OUT;
}

constexpr proto::SpfResult number_of(policy::SpfResult result) {
    switch (result) {
    case policy::SpfResult::none: return proto::SPF_NONE;
    case policy::SpfResult::neutral: return proto::SPF_NEUTRAL;
    case policy::SpfResult::pass: return proto::SPF_PASS;
    case policy::SpfResult::fail: return proto::SPF_FAIL;
    case policy::SpfResult::softfail: return proto::SPF_SOFTFAIL;
    case policy::SpfResult::policy: return proto::SPF_POLICY;
    case policy::SpfResult::temperror: return proto::SPF_TEMPERROR;
    case policy::SpfResult::permerror: return proto::SPF_PERMERROR;
    }
    return proto::SPF_LEFT_OUT;
}

constexpr proto::DkimResult number_of(policy::DkimResult result) {
    switch (result) {
    case policy::DkimResult::none: return proto::DKIM_NONE;
    case policy::DkimResult::pass: return proto::DKIM_PASS;
    case policy::DkimResult::fail: return proto::DKIM_FAIL;
    case policy::DkimResult::policy: return proto::DKIM_POLICY;
    case policy::DkimResult::neutral: return proto::DKIM_NEUTRAL;
    case policy::DkimResult::temperror: return proto::DKIM_TEMPERROR;
    case policy::DkimResult::permerror: return proto::DKIM_PERMERROR;
    }
    return proto::DKIM_LEFT_OUT;
}

constexpr proto::SenderDomainResult number_of(policy::SenderDomainResult result) {
    switch (result) {
    case policy::SenderDomainResult::reachable: return proto::SENDER_DOMAIN_REACHABLE;
    case policy::SenderDomainResult::unreachable: return proto::SENDER_DOMAIN_UNREACHABLE;
    case policy::SenderDomainResult::null_mx: return proto::SENDER_DOMAIN_NULL_MX;
    case policy::SenderDomainResult::temperror: return proto::SENDER_DOMAIN_TEMPERROR;
    }
    return proto::SENDER_DOMAIN_LEFT_OUT;
}

constexpr proto::Phase number_of(policy::Phase phase) {
    switch (phase) {
    case policy::Phase::connect: return proto::PHASE_CONNECT;
    case policy::Phase::helo: return proto::PHASE_HELO;
    case policy::Phase::mail: return proto::PHASE_MAIL;
    case policy::Phase::rcpt: return proto::PHASE_RCPT;
    case policy::Phase::end_of_message: return proto::PHASE_END_OF_MESSAGE;
    }
    return proto::PHASE_LEFT_OUT;
}

// The enumerator with that number; enumerators count from 0 without a gap. Numbers are as they
// were read: any may come.
template <typename Enum>
constexpr std::optional<Enum> value_of(int number) {
    for (std::uint8_t i = 0; number_of(static_cast<Enum>(i)) != 0; ++i) {
        if (number_of(static_cast<Enum>(i)) == number) {
            return static_cast<Enum>(i);
        }
    }
    return std::nullopt;
}

} // namespace store
