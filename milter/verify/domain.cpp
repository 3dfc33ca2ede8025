#include "milter/verify/domain.hpp"

#include "policy/ascii.hpp"
#include "policy/mailbox.hpp"

#include <idn2.h>

#include <algorithm>
#include <memory>

namespace verify {

std::string to_a_labels(std::string_view domain) {
    if (domain.ends_with('.')) {
        domain.remove_suffix(1);
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
