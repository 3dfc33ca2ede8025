#include "milter/verify/spf_macro.hpp"

#include "milter/verify/dns_name.hpp"
#include "policy/ascii.hpp"

#include <algorithm>
#include <cstddef>

namespace verify {

namespace {

constexpr unsigned most_parts = 1000; // more than any value has; keeps the number from overflowing

constexpr std::string_view letters_of_domain_specs = "slodipvh";
constexpr std::string_view letters_of_explanations = "crt";
constexpr std::string_view all_delimiters = ".-+,/_=";

bool is_known(char letter, SpfMacroLetters letters) {
    return letters_of_domain_specs.find(letter) != std::string_view::npos ||
           (letters == SpfMacroLetters::all &&
            letters_of_explanations.find(letter) != std::string_view::npos);
}

unsigned number_of(std::string_view digits) {
    unsigned number = 0;
    for (const char digit : digits) {
        number = std::min(number * 10 + static_cast<unsigned>(digit - '0'), most_parts);
    }
    return number;
}

// What stands between the braces.
std::optional<SpfMacro> parse_macro(std::string_view text, SpfMacroLetters letters) {
    if (text.empty() || !is_known(policy::to_lower(text.front()), letters)) {
        return std::nullopt;
    }
    SpfMacro macro;
    macro.letter = policy::to_lower(text.front());
    macro.is_escaped = macro.letter != text.front();
    text.remove_prefix(1);
    const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
    macro.parts = number_of(digits);
    if (!digits.empty() && macro.parts == 0) {
        return std::nullopt;
    }
    text.remove_prefix(digits.size());
    if (!text.empty() && policy::to_lower(text.front()) == 'r') {
        macro.is_reversed = true;
        text.remove_prefix(1);
    }
    if (text.find_first_not_of(all_delimiters) != std::string_view::npos) {
        return std::nullopt;
    }
    if (!text.empty()) {
        macro.delimiters = text;
    }
    return macro;
}

class MacroParser {
public:
    MacroParser(std::string_view text, SpfMacroLetters letters) : rest_{text}, letters_{letters} {}

    std::optional<SpfMacroString> parse() {
        while (!rest_.empty()) {
            if (!(rest_.front() == '%' ? take_macro() : take_literal())) {
                return std::nullopt;
            }
        }
        return std::move(parsed_);
    }

private:
    bool take_literal() {
        const char c = rest_.front();
        if (!policy::is_printable(c)) {
            return false;
        }
        add(std::string_view{&c, 1});
        rest_.remove_prefix(1);
        parsed_.ends_in_macro = false;
        return true;
    }

    bool take_macro() {
        parsed_.ends_in_macro = true;
        if (rest_.starts_with("%{")) {
            return take_braces();
        }
        const auto sign = rest_.substr(0, 2);
        rest_.remove_prefix(sign.size());
        if (sign == "%%") {
            add("%");
        } else if (sign == "%_") {
            add(" ");
        } else if (sign == "%-") {
            add("%20");
        } else {
            return false;
        }
        return true;
    }

    bool take_braces() {
        const auto end = rest_.find('}');
        if (end == std::string_view::npos) {
            return false;
        }
        const auto macro = parse_macro(rest_.substr(2, end - 2), letters_);
        rest_.remove_prefix(end + 1);
        if (macro) {
            parsed_.parts.emplace_back(*macro);
        }
        return macro.has_value();
    }

    void add(std::string_view literal) {
        if (parsed_.parts.empty() || !std::holds_alternative<std::string>(parsed_.parts.back())) {
            parsed_.parts.emplace_back(std::string{});
        }
        std::get<std::string>(parsed_.parts.back()) += literal;
    }

    std::string_view rest_;
    SpfMacroLetters letters_;
    SpfMacroString parsed_;
};

// Section 7.3: four octets, or 32 nibbles. In upper case, as the test suite has it.
std::string dotted(const policy::Address& address) {
    if (address.is_ipv4()) {
        return address.to_string();
    }
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string nibbles;
    for (const unsigned octet : address.bytes()) {
        nibbles += {digits[octet >> 4U], '.', digits[octet & 0xfU], '.'};
    }
    nibbles.pop_back();
    return nibbles;
}

std::string seconds_of(std::chrono::system_clock::time_point time) {
    const auto since = time.time_since_epoch();
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(since).count());
}

std::string value_of(char letter, const SpfMacroValues& values) {
    switch (letter) {
    case 's': return values.local_part + '@' + values.sender_domain;
    case 'l': return values.local_part;
    case 'o': return values.sender_domain;
    case 'd': return values.domain;
    case 'i': return dotted(values.client);
    case 'p': return values.validated_name;
    case 'v': return values.client.is_ipv4() ? "in-addr" : "ip6";
    case 'h': return values.helo;
    case 'c': return values.client.to_string();
    case 'r': return values.receiver;
    case 't': return seconds_of(values.time);
    default: return {}; // parse_macro() lets no other through
    }
}

// Those parts of `text` that the macro keeps, in the order in which they are joined. The others are
// not looked for: a record of 64 KiB may ask for one part of a long local part many thousand times.
std::vector<std::string_view> kept_parts(const SpfMacro& macro, std::string_view text) {
    std::vector<std::string_view> parts;
    while (macro.parts == 0 || parts.size() < macro.parts) {
        const auto delimiter = macro.is_reversed ? text.find_first_of(macro.delimiters)
                                                 : text.find_last_of(macro.delimiters);
        if (delimiter == std::string_view::npos) {
            parts.push_back(text);
            break;
        }
        const auto before = text.substr(0, delimiter);
        const auto after = text.substr(delimiter + 1);
        parts.push_back(macro.is_reversed ? before : after);
        text = macro.is_reversed ? after : before;
    }
    std::ranges::reverse(parts);
    return parts;
}

std::string transformed(const SpfMacro& macro, const std::string& value) {
    std::string joined;
    for (const auto part : kept_parts(macro, value)) {
        joined += part;
        joined += '.';
    }
    joined.pop_back();
    return joined;
}

// All but the unreserved characters of RFC 3986.
std::string url_escaped(const std::string& text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    static constexpr std::string_view unreserved_signs = "-._~";
    std::string escaped;
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (policy::is_alphanumeric(c) || unreserved_signs.find(c) != std::string_view::npos) {
            escaped += c;
        } else {
            escaped += {'%', digits[octet >> 4U], digits[octet & 0xfU]};
        }
    }
    return escaped;
}

std::string expand_macro(const SpfMacro& macro, const SpfMacroValues& values) {
    const auto text = transformed(macro, value_of(macro.letter, values));
    return macro.is_escaped ? url_escaped(text) : text;
}

std::string expand_part(const std::variant<std::string, SpfMacro>& part,
                        const SpfMacroValues& values) {
    const auto* const macro = std::get_if<SpfMacro>(&part);
    return macro != nullptr ? expand_macro(*macro, values) : std::get<std::string>(part);
}

} // namespace

std::optional<SpfMacroString> parse_spf_macros(std::string_view text, SpfMacroLetters letters) {
    return MacroParser{text, letters}.parse();
}

bool uses_letter(const SpfMacroString& text, char letter) {
    return std::ranges::any_of(text.parts, [letter](const auto& part) {
        const auto* const macro = std::get_if<SpfMacro>(&part);
        return macro != nullptr && macro->letter == letter;
    });
}

std::string expand(const SpfMacroString& text, const SpfMacroValues& values, std::size_t limit) {
    std::string expanded;
    for (auto part = text.parts.begin(); part != text.parts.end() && expanded.size() < limit;
         ++part) {
        expanded += expand_part(*part, values);
    }
    return expanded.substr(0, limit);
}

// From right to left, and no further than the end of the name goes.
std::string expand_domain(const SpfMacroString& text, const SpfMacroValues& values) {
    // From the right, because of a name that is too long the left is dropped: what is longer by a
    // dot at either end is enough to tell what stays.
    std::string name;
    for (auto part = text.parts.rbegin();
         part != text.parts.rend() && name.size() < longest_name + 2;
         ++part) {
        name.insert(0, expand_part(*part, values));
    }
    if (name.ends_with('.')) {
        name.pop_back();
    }
    if (name.size() > longest_name) {
        const auto dot = name.find('.', name.size() - longest_name - 1);
        name.erase(0, dot == std::string::npos ? dot : dot + 1);
    }
    return name;
}

} // namespace verify
