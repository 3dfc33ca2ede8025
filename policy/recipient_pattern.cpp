#include "policy/recipient_pattern.hpp"

#include "policy/ascii.hpp"

#include <algorithm>

namespace policy {

namespace {

// Where the domain is the MTA's own, it may take "a%b", "b!a" and a quoted "a@b" for a at b.
bool may_lead_elsewhere(std::string_view local_part) {
    return local_part.find_first_of("%!@") != std::string_view::npos;
}

} // namespace

std::optional<RecipientPattern> RecipientPattern::parse(std::string_view text) {
    const auto at = text.rfind('@');
    if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) {
        return std::nullopt;
    }
    RecipientPattern pattern{std::string{text.substr(0, at)}, std::string{text.substr(at + 1)}};
    const auto is_word_or_star = [](std::string_view part) {
        return part == "*" || part.find('*') == std::string_view::npos;
    };
    const bool is_clean =
        std::ranges::all_of(text, [](char c) { return is_printable(c) && c != ' '; });
    if (!is_clean || !is_word_or_star(pattern.local_part) || !is_word_or_star(pattern.domain)) {
        return std::nullopt;
    }
    return pattern;
}

bool RecipientPattern::matches(const Mailbox& recipient) const {
    // RFC 5321 section 4.5.1: "RCPT TO:<postmaster>" has no domain and means ours.
    return (domain == "*" || same_name(domain, recipient.domain)) &&
           (local_part == "*" ? domain == "*" || !may_lead_elsewhere(recipient.local_part)
                              : same_name(local_part, recipient.local_part));
}

bool matches_any(std::span<const RecipientPattern> patterns, std::string_view recipient) {
    if (patterns.empty()) {
        return false;
    }
    const auto mailbox = Mailbox::parse(recipient);
    return mailbox && std::ranges::any_of(patterns, [&](const RecipientPattern& pattern) {
               return pattern.matches(*mailbox);
           });
}

bool has_one_reading(std::string_view recipient) {
    const auto mailbox = Mailbox::parse(recipient);
    return mailbox && !mailbox->domain.empty() && !may_lead_elsewhere(mailbox->local_part) &&
           std::ranges::all_of(mailbox->domain, is_printable);
}

} // namespace policy
