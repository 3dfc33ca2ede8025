// Which stage applies to a message (DESIGN section 8): the first whose selector matches.
#pragma once

#include "policy/evidence.hpp"
#include "policy/rules.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace policy {

struct Choice {
    const Stage* stage = nullptr; // of the policy; the first that certainly matches
    // By what a stage before it might still match; empty: there is none.
    std::optional<SelectorPart> doubt{};

    friend bool operator==(const Choice&, const Choice&) = default;
};

// `recipient` is empty where none is known yet. A policy's last stage selects everything.
Choice
choose(const Policy& policy, const Evidence& evidence, std::optional<std::string_view> recipient);

// All that might apply to mail for `recipient`: the ones that might still match, and the first that
// certainly does.
std::vector<const Stage*> possible_stages(const Policy& policy,
                                          const Evidence& evidence,
                                          std::optional<std::string_view> recipient);

// Those of all recipients that are known, each once; never empty.
std::vector<Choice> choices_for(const Policy& policy, const Evidence& evidence);

// Whether two recipients of one message might end in different answers, as stages go.
bool may_differ(const Policy& policy,
                const Evidence& evidence,
                std::string_view recipient,
                std::string_view other);

// Whether it matters at RCPT who the recipient is, or whether RCPT may be refused.
bool looks_at_recipients(const Policy& policy);

// Whether any stage requires that bounces can be delivered.
bool asks_for_sender_domain(const Policy& policy);

// When stages begin and end, in no order.
std::vector<Time> bounds_of_stages(const Policy& policy);

// Whether any stage answers at HELO.
bool closes_at_helo(const Policy& policy);

// The stage of that name, which a verdict has from this policy; the last where there is none.
const Stage& stage_named(const Policy& policy, std::string_view name);

} // namespace policy
