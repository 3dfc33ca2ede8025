#include "milter/verify/spf_record.hpp"

#include "policy/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <iterator>

namespace verify {

namespace {

using policy::is_alpha;
using policy::is_alphanumeric;
using policy::is_digit;
using policy::same_name; // literals of the grammar match in either case (RFC 5234 section 2.3)
using policy::SpfResult;

constexpr std::string_view version_term = "v=spf1";

constexpr std::string_view unknown_mechanism = "there is no such mechanism";
constexpr std::string_view bad_modifier = "not a modifier";
constexpr std::string_view repeated_modifier = "it may appear only once";
constexpr std::string_view bad_domain = "not a domain-spec";
constexpr std::string_view needs_domain = "it needs a domain";
constexpr std::string_view takes_no_argument = "it takes no argument";
constexpr std::string_view bad_length = "not a prefix length";
constexpr std::string_view bad_ip4 = "not an IPv4 address";
constexpr std::string_view bad_ip6 = "not an IPv6 address";
constexpr std::string_view address_as_domain = "an address is written ip4: or ip6:";

template <typename T>
using Parsed = tl::expected<T, std::string_view>; // or what is wrong

struct MechanismName {
    std::string_view name;
    SpfMechanism mechanism;
};

constexpr auto mechanism_names = std::to_array<MechanismName>({
    {"all", SpfMechanism::all},
    {"include", SpfMechanism::include},
    {"a", SpfMechanism::a},
    {"mx", SpfMechanism::mx},
    {"ptr", SpfMechanism::ptr},
    {"ip4", SpfMechanism::ip4},
    {"ip6", SpfMechanism::ip6},
    {"exists", SpfMechanism::exists},
});

// toplabel: letters, digits and inner dashes, not digits alone.
bool is_toplabel(std::string_view label) {
    const auto is_allowed = [](char c) { return is_alphanumeric(c) || c == '-'; };
    return !label.empty() && std::ranges::all_of(label, is_allowed) &&
           !std::ranges::all_of(label, is_digit) && is_alphanumeric(label.front()) &&
           is_alphanumeric(label.back());
}

// domain-end, where it is no macro.
bool ends_in_toplabel(std::string_view text) {
    if (text.ends_with('.')) {
        text.remove_suffix(1);
    }
    const auto dot = text.rfind('.');
    return dot != std::string_view::npos && is_toplabel(text.substr(dot + 1));
}

Parsed<SpfMacroString> parse_domain_spec(std::string_view text) {
    if (text.empty()) {
        return tl::unexpected{needs_domain};
    }
    auto parsed = parse_spf_macros(text, SpfMacroLetters::of_domain_specs);
    if (parsed && (parsed->ends_in_macro || ends_in_toplabel(text))) {
        return *std::move(parsed);
    }
    // The commonest slip deserves to be named.
    return tl::unexpected{policy::Prefix::parse(text) ? address_as_domain : bad_domain};
}

// No leading zero: as in an ip4-network, and so it is a number one way only.
Parsed<unsigned> parse_length(std::string_view digits, unsigned longest) {
    unsigned length = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, length);
    const bool has_leading_zero = digits.size() > 1 && digits.front() == '0';
    if (error != std::errc{} || stopped != end || length > longest || has_leading_zero) {
        return tl::unexpected{bad_length};
    }
    return length;
}

struct CidrLengths {
    std::string_view before; // the text without them
    unsigned ip4 = 32;
    unsigned ip6 = 128;
};

struct Suffix {
    std::string_view before;
    std::optional<std::string_view> digits;
};

// A slash may be part of a domain-spec: only digits at the very end make it a length.
Suffix split_suffix(std::string_view text, std::string_view slashes) {
    const auto last_other = text.find_last_not_of("0123456789");
    const auto begin = last_other == std::string_view::npos ? 0 : last_other + 1;
    const auto before = text.substr(0, begin);
    if (begin == text.size() || !before.ends_with(slashes)) {
        return {text, std::nullopt};
    }
    return {before.substr(0, before.size() - slashes.size()), text.substr(begin)};
}

// dual-cidr-length.
Parsed<CidrLengths> split_lengths(std::string_view text) {
    const auto ip6 = split_suffix(text, "//");
    const auto ip4 = split_suffix(ip6.before, "/");
    CidrLengths lengths{ip4.before};
    if (ip6.digits) {
        const auto length = parse_length(*ip6.digits, 128);
        if (!length) {
            return tl::unexpected{length.error()};
        }
        lengths.ip6 = *length;
    }
    if (ip4.digits) {
        const auto length = parse_length(*ip4.digits, 32);
        if (!length) {
            return tl::unexpected{length.error()};
        }
        lengths.ip4 = *length;
    }
    return lengths;
}

// a, mx. `argument` is what follows the name.
Parsed<SpfDirective> with_host(SpfDirective directive, std::string_view argument) {
    const auto lengths = split_lengths(argument);
    if (!lengths) {
        return tl::unexpected{lengths.error()};
    }
    directive.ip4_length = lengths->ip4;
    directive.ip6_length = lengths->ip6;
    if (lengths->before.empty()) {
        return directive;
    }
    if (!lengths->before.starts_with(':')) {
        return tl::unexpected{bad_length};
    }
    auto target = parse_domain_spec(lengths->before.substr(1));
    if (!target) {
        return tl::unexpected{target.error()};
    }
    directive.target = *std::move(target);
    return directive;
}

// include, exists, and ptr where it has an argument.
Parsed<SpfDirective> with_domain(SpfDirective directive, std::string_view argument) {
    if (!argument.starts_with(':')) {
        return tl::unexpected{argument.empty() ? needs_domain : bad_domain};
    }
    auto target = parse_domain_spec(argument.substr(1));
    if (!target) {
        return tl::unexpected{target.error()};
    }
    directive.target = *std::move(target);
    return directive;
}

// ip4, ip6.
Parsed<SpfDirective> with_network(SpfDirective directive, std::string_view argument) {
    const bool is_ip4 = directive.mechanism == SpfMechanism::ip4;
    const auto bad_address = is_ip4 ? bad_ip4 : bad_ip6;
    if (!argument.starts_with(':')) {
        return tl::unexpected{bad_address};
    }
    const auto slash = argument.find('/');
    const auto text = argument.substr(1, slash == std::string_view::npos ? slash : slash - 1);
    const auto address = policy::Address::parse(text);
    // What is written tells the family: ::ffff:192.0.2.1 is an IPv6 address here.
    if (!address || is_ip4 != (text.find(':') == std::string_view::npos)) {
        return tl::unexpected{bad_address};
    }
    directive.network = {*address, 128};
    if (slash == std::string_view::npos) {
        return directive;
    }
    const auto length = parse_length(argument.substr(slash + 1), is_ip4 ? 32 : 128);
    if (!length) {
        return tl::unexpected{length.error()};
    }
    directive.network.length = is_ip4 ? *length + 96 : *length;
    return directive;
}

Parsed<SpfDirective> with_argument(const SpfDirective& directive, std::string_view argument) {
    switch (directive.mechanism) {
    case SpfMechanism::all:
        if (!argument.empty()) {
            return tl::unexpected{takes_no_argument};
        }
        return directive;
    case SpfMechanism::a:
    case SpfMechanism::mx: return with_host(directive, argument);
    case SpfMechanism::ptr:
        if (argument.empty()) {
            return directive;
        }
        return with_domain(directive, argument);
    case SpfMechanism::include:
    case SpfMechanism::exists: return with_domain(directive, argument);
    case SpfMechanism::ip4:
    case SpfMechanism::ip6: return with_network(directive, argument);
    }
    return tl::unexpected{unknown_mechanism};
}

std::optional<SpfResult> qualifier_of(char sign) {
    switch (sign) {
    case '+': return SpfResult::pass;
    case '-': return SpfResult::fail;
    case '~': return SpfResult::softfail;
    case '?': return SpfResult::neutral;
    default: return std::nullopt;
    }
}

Parsed<SpfDirective> parse_directive(std::string_view term) {
    SpfDirective directive;
    directive.text = term;
    if (const auto qualifier = qualifier_of(term.front())) {
        directive.qualifier = *qualifier;
        term.remove_prefix(1);
    }
    const auto name = term.substr(0, term.find_first_of(":/"));
    const auto* const known = std::ranges::find_if(
        mechanism_names, [name](const auto& row) { return same_name(row.name, name); });
    if (known == mechanism_names.end()) {
        return tl::unexpected{unknown_mechanism};
    }
    directive.mechanism = known->mechanism;
    return with_argument(directive, term.substr(name.size()));
}

bool is_modifier_name(std::string_view name) {
    const auto is_allowed = [](char c) {
        return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
    };
    return !name.empty() && is_alpha(name.front()) && std::ranges::all_of(name, is_allowed);
}

class RecordParser {
public:
    // Takes one term; what is wrong with it, if anything.
    std::optional<std::string_view> take(std::string_view term) {
        // Section 4.6.1: what has its = before any : or / is a modifier.
        const auto sign = term.find_first_of("=:/");
        if (sign != std::string_view::npos && term[sign] == '=') {
            return take_modifier(term.substr(0, sign), term.substr(sign + 1));
        }
        auto directive = parse_directive(term);
        if (!directive) {
            return directive.error();
        }
        record_.directives.push_back(*std::move(directive));
        return std::nullopt;
    }

    SpfRecord record() && { return std::move(record_); }

private:
    std::optional<std::string_view> take_modifier(std::string_view name, std::string_view value) {
        if (same_name(name, "redirect")) {
            return take_domain_spec(&SpfRecord::redirect, value);
        }
        if (same_name(name, "exp")) {
            return take_domain_spec(&SpfRecord::explanation, value);
        }
        const bool is_valid =
            is_modifier_name(name) && parse_spf_macros(value, SpfMacroLetters::all).has_value();
        return is_valid ? std::nullopt : std::optional{bad_modifier};
    }

    // Section 6: once each.
    std::optional<std::string_view>
    take_domain_spec(std::optional<SpfMacroString> SpfRecord::*modifier, std::string_view value) {
        if (record_.*modifier) {
            return repeated_modifier;
        }
        auto parsed = parse_domain_spec(value);
        if (!parsed) {
            return parsed.error();
        }
        record_.*modifier = *std::move(parsed);
        return std::nullopt;
    }

    SpfRecord record_;
};

bool is_spf_record(std::string_view text) {
    return same_name(text.substr(0, version_term.size()), version_term) &&
           (text.size() == version_term.size() || text[version_term.size()] == ' ');
}

} // namespace

bool needs_dns(SpfMechanism mechanism) {
    switch (mechanism) {
    case SpfMechanism::all:
    case SpfMechanism::ip4:
    case SpfMechanism::ip6: return false;
    case SpfMechanism::include:
    case SpfMechanism::a:
    case SpfMechanism::mx:
    case SpfMechanism::ptr:
    case SpfMechanism::exists: return true;
    }
    return true;
}

std::vector<std::string> spf_records_among(const std::vector<std::string>& texts) {
    std::vector<std::string> records;
    std::ranges::copy_if(texts, std::back_inserter(records), is_spf_record);
    return records;
}

tl::expected<SpfRecord, SpfSyntaxError> parse_spf_record(std::string_view text) {
    text.remove_prefix(std::min(version_term.size(), text.size()));
    RecordParser parser;
    while (!text.empty()) {
        const auto term = text.substr(0, text.find(' '));
        if (const auto reason = term.empty() ? std::nullopt : parser.take(term)) {
            return tl::unexpected{SpfSyntaxError{std::string{term}, *reason}};
        }
        text.remove_prefix(std::min(term.size() + 1, text.size()));
    }
    return std::move(parser).record();
}

} // namespace verify
