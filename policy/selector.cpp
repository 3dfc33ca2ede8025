#include "policy/selector.hpp"

#include "policy/ascii.hpp"
#include "policy/words.hpp"

#include <algorithm>

namespace policy {

namespace {

constexpr auto part_words = std::to_array<Word<SelectorPart>>({
    {SelectorPart::networks, "networks"},
    {SelectorPart::listeners, "listeners"},
    {SelectorPart::from, "from"},
    {SelectorPart::until, "until"},
    {SelectorPart::percent, "percent"},
    {SelectorPart::recipients, "recipients"},
    {SelectorPart::reverse_names, "reverse_names"},
    {SelectorPart::authenticated, "authenticated"},
});

Match match_if(bool is_so) {
    return is_so ? Match::yes : Match::no;
}

// A name that could not be looked up might be confirmed the next time.
Match match_reverse_names(const DomainSet& names, const Evidence& evidence) {
    if (!evidence.iprev) {
        return Match::unknown;
    }
    Match found = Match::no;
    for (const IprevName& name : evidence.iprev->names) {
        if (!names.contains(name.name)) {
            continue;
        }
        if (name.outcome == NameOutcome::leads_back) {
            return Match::yes;
        }
        found = name.outcome == NameOutcome::not_looked_up ? Match::unknown : found;
    }
    const bool has_no_names =
        evidence.iprev->result == IprevResult::temperror && evidence.iprev->names.empty();
    return has_no_names ? Match::unknown : found;
}

Match match_spf(const DomainSet& domains, const Evidence& evidence) {
    if (!evidence.spf_mail_from) {
        return evidence.mail_from.empty() && evidence.dkim ? Match::no : Match::unknown;
    }
    if (!domains.contains(evidence.spf_mail_from->domain)) {
        return Match::no;
    }
    switch (evidence.spf_mail_from->result) {
    case SpfResult::pass:
    case SpfResult::policy: return Match::yes; // what counts is for the stage to say
    case SpfResult::temperror: return Match::unknown;
    case SpfResult::none:
    case SpfResult::neutral:
    case SpfResult::fail:
    case SpfResult::softfail:
    case SpfResult::permerror: break;
    }
    return Match::no;
}

Match match_dkim(const DomainSet& domains, const Evidence& evidence) {
    if (!evidence.dkim) {
        return Match::unknown;
    }
    Match found = Match::no;
    for (const DkimSignature& signature : *evidence.dkim) {
        const bool passes = signature.result == DkimResult::pass;
        const bool may_pass = passes || signature.result == DkimResult::temperror;
        if (may_pass && domains.contains(signature.sdid)) {
            found = std::max(found, passes ? Match::yes : Match::unknown);
        }
    }
    return found;
}

Match match_recipients(const std::vector<RecipientPattern>& patterns,
                       std::optional<std::string_view> recipient) {
    if (!recipient) {
        return Match::unknown;
    }
    const bool is_one = matches_any(patterns, *recipient);
    const bool may_be_one = !recipient->empty() && !has_one_reading(*recipient);
    return !is_one && may_be_one ? Match::unknown : match_if(is_one);
}

Match match_part(SelectorPart part,
                 const Selector& selector,
                 const Evidence& evidence,
                 std::optional<std::string_view> recipient) {
    switch (part) {
    case SelectorPart::networks:
        return match_if(evidence.client && selector.networks->contains(*evidence.client));
    case SelectorPart::listeners:
        return match_if(std::ranges::any_of(
            selector.listeners, [&](const auto& each) { return each.matches(evidence.listener); }));
    case SelectorPart::from:
        return evidence.time ? match_if(*evidence.time >= *selector.from) : Match::unknown;
    case SelectorPart::until:
        return evidence.time ? match_if(*evidence.time < *selector.until) : Match::unknown;
    case SelectorPart::percent:
        return evidence.percentile ? match_if(*evidence.percentile < *selector.percent)
                                   : Match::unknown;
    case SelectorPart::recipients: return match_recipients(selector.recipients, recipient);
    case SelectorPart::reverse_names: return match_reverse_names(*selector.reverse_names, evidence);
    case SelectorPart::authenticated:
        return std::max(match_spf(*selector.authenticated, evidence),
                        match_dkim(*selector.authenticated, evidence));
    }
    return Match::unknown;
}

bool is_set(SelectorPart part, const Selector& selector) {
    switch (part) {
    case SelectorPart::networks: return selector.networks.has_value();
    case SelectorPart::listeners: return !selector.listeners.empty();
    case SelectorPart::from: return selector.from.has_value();
    case SelectorPart::until: return selector.until.has_value();
    case SelectorPart::percent: return selector.percent.has_value();
    case SelectorPart::recipients: return !selector.recipients.empty();
    case SelectorPart::reverse_names: return selector.reverse_names.has_value();
    case SelectorPart::authenticated: return selector.authenticated.has_value();
    }
    return false;
}

// "[2001:db8::25]:25" and ":25" as address and port; any other text as the address alone.
std::pair<std::string_view, std::string_view> parted(std::string_view text) {
    const auto colon = text.rfind(':');
    const bool has_brackets = text.starts_with('[');
    if (has_brackets && text.ends_with(']')) {
        return {text.substr(1, text.size() - 2), ""};
    }
    if (has_brackets && colon != std::string_view::npos && text[colon - 1] == ']') {
        return {text.substr(1, colon - 2), text.substr(colon + 1)};
    }
    return colon == 0 ? std::pair{std::string_view{}, text.substr(1)}
                      : std::pair{text, std::string_view{}};
}

} // namespace

std::optional<ListenerPattern> ListenerPattern::parse(std::string_view text) {
    const auto [host, port] = parted(text);
    const bool is_clean =
        std::ranges::all_of(text, [](char c) { return is_printable(c) && c != ' '; });
    if (text.empty() || !is_clean || port.size() > 5 || !std::ranges::all_of(port, is_digit)) {
        return std::nullopt;
    }
    ListenerPattern pattern{Address::parse(host), std::string{port}, {}};
    const bool is_address_or_port = pattern.address || host.empty();
    if (!is_address_or_port && text.find_first_of("[]:") != std::string_view::npos) {
        return std::nullopt;
    }
    pattern.name = is_address_or_port ? "" : std::string{host};
    const bool says_something = pattern.address || !pattern.port.empty() || !pattern.name.empty();
    return says_something ? std::optional{pattern} : std::nullopt;
}

bool ListenerPattern::matches(const Listener& listener) const {
    // Sendmail writes "IPv6:2001:db8::25".
    std::string_view given = listener.address;
    if (same_name(given.substr(0, 5), "IPv6:")) {
        given.remove_prefix(5);
    }
    return (!address || Address::parse(given) == address) &&
           (port.empty() || port == listener.port) &&
           (name.empty() || same_name(name, listener.name));
}

std::string_view to_string(SelectorPart part) {
    return word_for(part_words, part);
}

std::vector<PartMatch> matches_of(const Selector& selector,
                                  const Evidence& evidence,
                                  std::optional<std::string_view> recipient) {
    std::vector<PartMatch> found;
    for (const auto& [part, word] : part_words) {
        if (is_set(part, selector)) {
            found.push_back({part, match_part(part, selector, evidence, recipient)});
        }
    }
    return found;
}

Match match(const Selector& selector,
            const Evidence& evidence,
            std::optional<std::string_view> recipient) {
    Match all = Match::yes;
    for (const auto& [part, word] : part_words) {
        if (is_set(part, selector)) {
            all = std::min(all, match_part(part, selector, evidence, recipient));
        }
        if (all == Match::no) {
            break; // and nothing that costs more is looked at
        }
    }
    return all;
}

} // namespace policy
