// Policies of several stages.
#pragma once

#include "policy/rules.hpp"

#include <string>
#include <utility>
#include <vector>

namespace tests {

inline policy::Stage stage(std::string name, policy::Mode mode, policy::Selector selector = {}) {
    policy::Stage stage;
    stage.name = std::move(name);
    stage.mode = mode;
    stage.selector = std::move(selector);
    return stage;
}

inline policy::Policy policy_of(std::vector<policy::Stage> stages) {
    policy::Policy policy;
    policy.stages = std::move(stages);
    return policy;
}

inline policy::DomainSet domains(const std::vector<std::string>& names) {
    policy::DomainSet set;
    for (const auto& name : names) {
        set.add(name);
    }
    return set;
}

inline policy::PrefixSet prefixes(const std::vector<std::string>& texts) {
    std::vector<policy::Prefix> parsed;
    parsed.reserve(texts.size());
    for (const auto& text : texts) {
        parsed.push_back(policy::Prefix::parse(text).value());
    }
    return policy::PrefixSet{parsed};
}

inline std::vector<policy::RecipientPattern> recipients(const std::vector<std::string>& texts) {
    std::vector<policy::RecipientPattern> patterns;
    patterns.reserve(texts.size());
    for (const auto& text : texts) {
        patterns.push_back(policy::RecipientPattern::parse(text).value());
    }
    return patterns;
}

} // namespace tests
