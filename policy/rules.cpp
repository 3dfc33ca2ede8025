#include "policy/rules.hpp"

#include "policy/ascii.hpp"
#include "policy/words.hpp"

#include <algorithm>
#include <charconv>

namespace policy {

namespace {

constexpr auto mode_words = std::to_array<Word<Mode>>({
    {Mode::off, "off"},
    {Mode::observe, "observe"},
    {Mode::tag, "tag"},
    {Mode::soft, "soft"},
    {Mode::enforce, "enforce"},
    {Mode::closed, "closed"},
});

constexpr auto profile_words = std::to_array<Word<Profile>>({
    {Profile::rfc7372, "rfc7372"},
    {Profile::gmail, "gmail"},
    {Profile::eop, "eop"},
    {Profile::mx6, "mx6"},
    {Profile::fallback, "fallback"},
    {Profile::terse, "terse"},
});

constexpr auto reason_words = std::to_array<Word<Reason>>({
    {Reason::reverse_name_missing, "reverse_name_missing"},
    {Reason::reverse_name_mismatch, "reverse_name_mismatch"},
    {Reason::reverse_name_temperror, "reverse_name_temperror"},
    {Reason::unauthenticated, "unauthenticated"},
    {Reason::unaligned, "unaligned"},
    {Reason::authentication_temperror, "authentication_temperror"},
    {Reason::dkim_temperror, "dkim_temperror"},
    {Reason::sender_domain_unreachable, "sender_domain_unreachable"},
    {Reason::sender_domain_null_mx, "sender_domain_null_mx"},
    {Reason::sender_domain_temperror, "sender_domain_temperror"},
    {Reason::closed, "closed"},
});

// One to three digits, as both halves of a code are made of.
bool is_number(std::string_view text) {
    return !text.empty() && text.size() <= 3 && std::ranges::all_of(text, is_digit);
}

// RFC 3463 section 2: class "." subject "." detail.
bool is_enhanced_status(std::string_view text) {
    const auto first = text.find('.');
    const auto second = text.find('.', first + 1);
    return first == 1 && second != std::string_view::npos && is_number(text.substr(0, first)) &&
           is_number(text.substr(first + 1, second - first - 1)) &&
           is_number(text.substr(second + 1));
}

} // namespace

bool is_temperror(Reason reason) {
    switch (reason) {
    case Reason::reverse_name_temperror:
    case Reason::authentication_temperror:
    case Reason::dkim_temperror:
    case Reason::sender_domain_temperror: return true;
    case Reason::reverse_name_missing:
    case Reason::reverse_name_mismatch:
    case Reason::unauthenticated:
    case Reason::unaligned:
    case Reason::sender_domain_unreachable:
    case Reason::sender_domain_null_mx:
    case Reason::closed: break;
    }
    return false;
}

std::string_view to_string(Mode mode) {
    return word_for(mode_words, mode);
}

std::string_view to_string(Profile profile) {
    return word_for(profile_words, profile);
}

std::string_view to_string(Reason reason) {
    return word_for(reason_words, reason);
}

std::optional<Mode> mode_from(std::string_view word) {
    return value_of(mode_words, word);
}

std::optional<Profile> profile_from(std::string_view word) {
    return value_of(profile_words, word);
}

std::optional<Reason> reason_from(std::string_view word) {
    return value_of(reason_words, word);
}

std::optional<ReplyCode> ReplyCode::parse(std::string_view text) {
    const auto space = text.find(' ');
    if (space != 3 || !is_number(text.substr(0, space))) {
        return std::nullopt;
    }
    const std::string_view enhanced = text.substr(space + 1);
    const bool has_class = text[0] == '4' || text[0] == '5';
    // RFC 5321 section 4.2.1: the second digit is 0 to 5.
    if (!has_class || text[1] > '5' || !is_enhanced_status(enhanced) || enhanced[0] != text[0]) {
        return std::nullopt;
    }
    ReplyCode parsed{0, std::string{enhanced}};
    std::from_chars(text.data(), text.data() + space, parsed.code);
    return parsed;
}

std::string ReplyCode::to_string() const {
    return std::to_string(code) + ' ' + enhanced_status;
}

Requirements requirements_of(Profile profile) {
    Requirements requirements;
    switch (profile) {
    case Profile::rfc7372:
    case Profile::mx6:
    case Profile::fallback:
    case Profile::terse: break;
    case Profile::eop:
        requirements.reverse_name = ReverseName::present;
        requirements.null_reverse_path = NullReversePath::strict;
        break;
    case Profile::gmail: requirements.null_reverse_path = NullReversePath::strict; break;
    }
    return requirements;
}

Mode mode_after(const Grace& grace) {
    switch (grace.then) {
    case AfterGrace::enforce: break;
    case AfterGrace::tag: return Mode::tag;
    }
    return Mode::enforce;
}

bool has_mode(const Policy& policy, Mode mode) {
    return std::ranges::any_of(policy.stages, [&](const Stage& stage) {
        return stage.mode == mode || (stage.grace && mode_after(*stage.grace) == mode);
    });
}

} // namespace policy
