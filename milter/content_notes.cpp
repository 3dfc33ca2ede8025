#include "milter/content_notes.hpp"

#include "milter/verify/author.hpp"
#include "policy/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace milter {

namespace {

// What is written by who passes mail on: RFC 5322 section 3.6.6, RFC 8617, and the habits of
// mailbox providers.
constexpr auto fields_of_forwarders = std::to_array<std::string_view>(
    {"Resent-From", "ARC-Seal", "X-Forwarded-To", "X-Forwarded-For", "Delivered-To"});

constexpr std::size_t most_authors = 2; // two From: fields are one too many, however many follow

} // namespace

bool is_rewritten(std::string_view mail_from) {
    return policy::same_name(mail_from.substr(0, 5), "SRS0=") ||
           policy::same_name(mail_from.substr(0, 5), "SRS1=");
}

void ContentNotes::note(std::string_view name, std::string_view value) {
    name = policy::field_name(name);
    const auto is = [&](std::string_view other) { return policy::same_name(name, other); };
    is_from_list_ = is_from_list_ || is("List-Id");
    is_forwarded_ = is_forwarded_ || std::ranges::any_of(fields_of_forwarders, is);
    if (is("From") && authors_.size() < most_authors) {
        authors_.emplace_back(value);
    }
}

void ContentNotes::tell(policy::Evidence& evidence) const {
    evidence.is_from_list = is_from_list_;
    evidence.is_forwarded = is_forwarded_ || is_rewritten(evidence.mail_from);
    evidence.from_domain = verify::author_domain(authors_);
}

} // namespace milter
