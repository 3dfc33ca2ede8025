#include "milter/verify/domain.hpp"

#include "milter/verify/dns_name.hpp"
#include "policy/ascii.hpp"
#include "policy/mailbox.hpp"

#include <idn2.h>

#include <algorithm>
#include <memory>

namespace verify {

namespace {

// Of ASCII letters, digits, "_" and "-", and no A-label, nor anything that might be taken for one
// (RFC 5891 section 4.2.3.1).
bool is_plain_label(std::string_view label) {
    const bool has_length = !label.empty() && label.size() <= longest_label;
    const bool has_hyphen_in_place = has_length && label.front() != '-' && label.back() != '-' &&
                                     label.substr(0, 4).find("--") == std::string_view::npos;
    return has_hyphen_in_place && std::ranges::all_of(label, [](char c) {
               return policy::is_alphanumeric(c) || c == '-' || c == '_';
           });
}

bool has_only_plain_labels(std::string_view domain) {
    if (domain.size() > longest_name) {
        return false;
    }
    for (;;) {
        const auto end = std::min(domain.find('.'), domain.size());
        if (!is_plain_label(domain.substr(0, end))) {
            return false;
        }
        if (end == domain.size()) {
            return true;
        }
        domain.remove_prefix(end + 1);
    }
}

} // namespace

std::string to_a_labels(std::string_view domain) {
    if (domain.ends_with('.')) {
        domain.remove_suffix(1);
    }
    if (has_only_plain_labels(domain)) {
        return policy::to_lower(domain); // what libidn2 makes of it, which takes far longer
    }
    std::string original{domain};
    if (original.find('\0') != std::string::npos) {
        return original;
    }
    char* converted = nullptr;
    constexpr int flags = IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT;
    if (idn2_to_ascii_8z(original.c_str(), &converted, flags) != IDN2_OK) {
        return original;
    }
    const std::unique_ptr<char, void (*)(void*)> owner{converted, idn2_free};
    return converted;
}

std::string domain_of(std::string_view address) {
    const auto mailbox = policy::Mailbox::parse(address);
    return mailbox ? to_a_labels(mailbox->domain) : std::string{};
}

std::string with_a_labels(std::string_view address) {
    const auto mailbox = policy::Mailbox::parse(address);
    if (!mailbox || std::ranges::all_of(mailbox->domain, policy::is_printable)) {
        return std::string{address};
    }
    return std::string{mailbox->local_part} + '@' + to_a_labels(mailbox->domain);
}

} // namespace verify
