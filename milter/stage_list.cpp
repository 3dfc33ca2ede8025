#include "milter/stage_list.hpp"

#include "milter/report_words.hpp"
#include "policy/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace milter {

namespace {

using policy::Selector;
using policy::SelectorPart;
using policy::Stage;

std::string part_text(SelectorPart part, const Selector& selector) {
    switch (part) {
    case SelectorPart::networks: return counted(selector.networks->size(), "network", "networks");
    case SelectorPart::listeners:
        return counted(selector.listeners.size(), "listener", "listeners");
    case SelectorPart::from: return "from " + minute(*selector.from) + " UTC";
    case SelectorPart::until: return "until " + minute(*selector.until) + " UTC";
    case SelectorPart::percent: return fmt::format("{} percent of senders", *selector.percent);
    case SelectorPart::recipients:
        return counted(selector.recipients.size(), "recipient", "recipients");
    case SelectorPart::reverse_names:
        return counted(selector.reverse_names->size(), "reverse name", "reverse names");
    case SelectorPart::authenticated:
        return counted(
            selector.authenticated->size(), "authenticated domain", "authenticated domains");
    }
    return {};
}

std::string selector_text(const Selector& selector) {
    std::string text;
    for (const auto& [part, match] : matches_of(selector, policy::Evidence{}, std::nullopt)) {
        text += (text.empty() ? "" : ", ") + part_text(part, selector);
    }
    return text.empty() ? "the rest" : text;
}

} // namespace

std::string stage_list(const policy::Policy& policy) {
    std::size_t widest = 0;
    for (const Stage& stage : policy.stages) {
        widest = std::max(widest, stage.name.size());
    }
    std::string text;
    std::size_t number = 0;
    for (const Stage& stage : policy.stages) {
        text += fmt::format("{:3}  {:{}}  {:7}  {}\n",
                            ++number,
                            stage.name,
                            widest,
                            to_string(stage.mode),
                            selector_text(stage.selector));
    }
    return text;
}

} // namespace milter
