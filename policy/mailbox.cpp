#include "policy/mailbox.hpp"

#include "policy/address.hpp"
#include "policy/ascii.hpp"

#include <algorithm>
#include <cstddef>

namespace policy {

namespace {

constexpr std::string_view white_space = " \t";

bool is_8_bit(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

bool is_label_octet(char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || is_8_bit(c);
}

// The atext of RFC 5322 section 3.2.3, by what it leaves out, and RFC 6531's octets.
bool is_atom_octet(char c) {
    constexpr std::string_view specials = "()<>[]:;@\\,\" ";
    return is_8_bit(c) || (is_printable(c) && specials.find(c) == std::string_view::npos);
}

// The quoted-string that `text` begins with, quotes included, in octets. 0: it is none.
std::size_t quoted_size(std::string_view text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            return i + 1;
        }
        if (text[i] == '\\') {
            ++i;
        }
        if (i == text.size() || !(is_printable(text[i]) || is_8_bit(text[i]))) {
            return 0;
        }
    }
    return 0;
}

std::size_t local_part_size(std::string_view text) {
    if (text.starts_with('"')) {
        return quoted_size(text);
    }
    const auto* const end = std::ranges::find_if_not(text, is_atom_octet);
    return static_cast<std::size_t>(end - text.begin());
}

bool is_address_literal(std::string_view domain) {
    if (!domain.starts_with('[') || !domain.ends_with(']')) {
        return false;
    }
    domain = domain.substr(1, domain.size() - 2);
    constexpr std::string_view tag = "IPv6:";
    const bool is_ipv6 = same_name(domain.substr(0, tag.size()), tag);
    const auto address = Address::parse(is_ipv6 ? domain.substr(tag.size()) : domain);
    return address && (is_ipv6 || domain.find(':') == std::string_view::npos);
}

bool is_name(std::string_view domain) {
    const auto is_octet = [](char c) { return is_label_octet(c) || c == '.'; };
    return !domain.empty() && !domain.starts_with('.') && !domain.ends_with('.') &&
           domain.find("..") == std::string_view::npos && std::ranges::all_of(domain, is_octet);
}

bool is_domain(std::string_view domain) {
    return is_name(domain) || is_address_literal(domain);
}

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(white_space), text.size()));
    return text.substr(0, text.find_last_not_of(white_space) + 1);
}

// "@one,@two:mailbox" without the route. Nothing where the route is none, or leads to nobody.
std::optional<std::string_view> without_route(std::string_view path) {
    while (path.starts_with('@')) {
        const auto end = path.find_first_of(",:");
        if (end == std::string_view::npos || !is_domain(path.substr(1, end - 1))) {
            return std::nullopt;
        }
        const bool is_last = path[end] == ':';
        path.remove_prefix(end + 1);
        if (is_last) {
            const auto mailbox = Mailbox::parse(path);
            return mailbox && !mailbox->domain.empty() ? std::optional{path} : std::nullopt;
        }
    }
    return std::nullopt;
}

} // namespace

std::optional<Mailbox> Mailbox::parse(std::string_view text) {
    const auto size = local_part_size(text);
    const Mailbox mailbox{text.substr(0, size),
                          without_final_dot(text.substr(std::min(size + 1, text.size())))};
    const bool is_alone = size == text.size() && size != 0 && !text.starts_with('"');
    const bool has_domain = size < text.size() && text[size] == '@' && is_domain(mailbox.domain);
    // A quote that is not closed is no empty local part: then no @ follows.
    return is_alone || has_domain ? std::optional{mailbox} : std::nullopt;
}

std::string_view mailbox_in(std::string_view argument) {
    std::string_view path = trimmed(argument);
    if (path.starts_with('<') && path.ends_with('>')) {
        path = trimmed(path.substr(1, path.size() - 2));
    }
    if (path.empty() || Mailbox::parse(path)) {
        return path;
    }
    return without_route(path).value_or(argument);
}

} // namespace policy
