#include "milter/verify/dkim_signature.hpp"

#include "milter/verify/dns_name.hpp"
#include "policy/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace verify {

namespace {

// libopendkim stops at 64 KiB, and then for all signatures of the message.
constexpr std::size_t longest_field = 32768;

// libopendkim reads so much of h= and drops the rest without a word.
constexpr std::size_t longest_header_list = 4000;

// libopendkim copies i= into 257 octets, and forgets to end what fills them.
constexpr std::size_t longest_identity = 254;

constexpr std::size_t longest_length = 15; // digits of l=: a petabyte

constexpr std::string_view fine{};

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= longest_label &&
           std::ranges::all_of(
               label, [](char c) { return policy::is_alphanumeric(c) || c == '-' || c == '_'; });
}

bool is_name(std::string_view name) {
    for (;;) {
        const auto dot = name.find('.');
        if (!is_label(name.substr(0, dot))) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        name.remove_prefix(dot + 1);
    }
}

// RFC 6376 section 2.10, without its white space. libopendkim decodes what is not as well as it
// can.
bool is_base64(std::string_view text) {
    const auto padding = std::min(text.find('='), text.size());
    return std::ranges::all_of(
               text.substr(0, padding),
               [](char c) { return policy::is_alphanumeric(c) || c == '+' || c == '/'; }) &&
           text.find_first_not_of('=', padding) == std::string_view::npos;
}

bool is_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, policy::is_digit);
}

std::string_view required(const TagList& tags) {
    if (!tags.find("v")) {
        return "v= is missing";
    }
    if (!tags.find("a")) {
        return "a= is missing";
    }
    if (tags.value_of("b").empty()) {
        return "b= is missing";
    }
    if (tags.value_of("bh").empty()) {
        return "bh= is missing";
    }
    if (!is_base64(tags.value_of("b"))) {
        return "b= is not base64";
    }
    if (!is_base64(tags.value_of("bh"))) {
        return "bh= is not base64";
    }
    return fine;
}

std::string_view version(const TagList& tags) {
    return tags.find("v") == "1" ? fine : "v= is not 1";
}

std::string_view domain(const TagList& tags) {
    return is_name(tags.value_of("d")) ? fine : "d= is not a domain name";
}

std::string_view selector(const TagList& tags) {
    return is_name(tags.value_of("s")) ? fine : "s= is not a selector";
}

std::string_view key_name(const TagList& tags) {
    const bool fits = tags.value_of("s").size() + tags.value_of("d").size() +
                          std::string_view{"._domainkey."}.size() <=
                      longest_name;
    return fits ? fine : "s= and d= are too long for a name in DNS";
}

bool is_hexadecimal(char c) {
    return policy::is_digit(c) || (c >= 'A' && c <= 'F');
}

// RFC 6376 section 2.11. libopendkim reads past the end of what is not.
bool is_quoted_printable(std::string_view text) {
    for (auto at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
        if (at + 2 >= text.size() || !is_hexadecimal(text[at + 1]) ||
            !is_hexadecimal(text[at + 2])) {
            return false;
        }
    }
    return true;
}

bool is_at_or_below(std::string_view name, std::string_view parent) {
    if (name.size() > parent.size()) {
        const auto dot = name.size() - parent.size() - 1;
        return name[dot] == '.' && policy::same_name(name.substr(dot + 1), parent);
    }
    return policy::same_name(name, parent);
}

std::string_view identity(const TagList& tags) {
    const auto auid = tags.find("i");
    if (!auid) {
        return fine;
    }
    const auto at = auid->rfind('@');
    if (at == std::string_view::npos || auid->size() > longest_identity ||
        !is_quoted_printable(*auid)) {
        return "i= is not an address";
    }
    const bool fits = is_at_or_below(auid->substr(at + 1), tags.value_of("d"));
    return fits ? fine : "i= is outside of d=";
}

std::string_view header_list(const TagList& tags) {
    const auto names = tags.value_of("h");
    if (names.size() > longest_header_list) {
        return "h= is too long";
    }
    if (count_in_list(names, "from") == 0) {
        return "From is not signed";
    }
    return count_in_list(names, "") == 0 && !names.ends_with(':') ? fine : "h= has an empty name";
}

std::string_view length(const TagList& tags) {
    const auto limit = tags.find("l");
    if (!limit) {
        return fine;
    }
    if (!is_digits(*limit)) {
        return "l= is not a number";
    }
    return limit->size() <= longest_length ? fine : "l= is longer than the body";
}

std::string_view query_method(const TagList& tags) {
    const auto methods = tags.find("q");
    return !methods || count_in_list(*methods, "dns/txt") > 0 ? fine : "q= has no dns/txt";
}

constexpr auto checks = std::to_array<std::string_view (*)(const TagList&)>(
    {required, version, domain, selector, key_name, identity, header_list, length, query_method});

// What is hashed of the field is its text without the value of b=. libopendkim leaves out the value
// of any tag whose name ends in b, and none where white space parts the name from its equals sign.
bool is_hashed_otherwise(std::string_view field) {
    while (!field.empty()) {
        const auto end = std::min(field.find(';'), field.size());
        const auto spec = field.substr(0, end);
        const auto name = spec.substr(0, spec.find('='));
        const auto first = std::min(name.find_first_not_of(" \t\r\n"), name.size());
        const auto last = name.find_last_not_of(" \t\r\n");
        const bool is_b = name.substr(first, last + 1 - first) == "b";
        if (is_b != name.ends_with('b')) {
            return true;
        }
        field.remove_prefix(std::min(end + 1, field.size()));
    }
    return false;
}

std::string problem_of(std::string_view text, const TagList& tags) {
    if (!tags.problem.empty()) {
        return "the signature " + tags.problem;
    }
    if (is_hashed_otherwise(text)) {
        return "b= has white space before its equals sign, or another tag ends in b: this cannot "
               "be evaluated";
    }
    for (const auto check : checks) {
        if (const auto problem = check(tags); !problem.empty()) {
            return std::string{problem};
        }
    }
    return {};
}

} // namespace

Question SignatureField::key_question() const {
    std::string name{tags.value_of("s")};
    name.append("._domainkey.").append(tags.value_of("d"));
    return {name, RecordType::txt};
}

std::optional<std::uint64_t> SignatureField::limit() const {
    const auto digits = tags.find("l");
    std::uint64_t octets = 0;
    if (!digits || std::from_chars(digits->data(), digits->data() + digits->size(), octets).ec !=
                       std::errc{}) {
        return std::nullopt;
    }
    return octets;
}

BodyCanonicalization SignatureField::body_canonicalization() const {
    const auto canonicalization = tags.value_of("c");
    const auto slash = canonicalization.find('/');
    const bool is_relaxed = slash != std::string_view::npos &&
                            policy::same_name(canonicalization.substr(slash + 1), "relaxed");
    return is_relaxed ? BodyCanonicalization::relaxed : BodyCanonicalization::simple;
}

std::size_t SignatureField::times_signed(std::string_view name) const {
    return count_in_list(tags.value_of("h"), name);
}

SignatureField read_signature(std::string_view value) {
    SignatureField field;
    field.tags = parse_tag_list(value.substr(0, longest_field));
    field.problem = value.size() > longest_field ? "the DKIM-Signature field is too large"
                                                 : problem_of(value, field.tags);
    return field;
}

} // namespace verify
