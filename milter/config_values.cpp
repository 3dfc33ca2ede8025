#include "milter/config_values.hpp"

#include "milter/since.hpp"
#include "milter/toml_values.hpp"
#include "policy/ascii.hpp"
#include "policy/placeholders.hpp"
#include "policy/reply.hpp"
#include "policy/words.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

namespace milter {

namespace {

using policy::Authentication;
using policy::ClosedAt;
using policy::MixedRecipients;
using policy::Mode;
using policy::NullReversePath;
using policy::OnTemperror;
using policy::Profile;
using policy::Reason;
using policy::ReverseName;
using policy::SenderDomain;

constexpr std::size_t longest_url = 200; // of a reply's 2,000 octets, and never dropped

constexpr std::string_view proves_nothing = "because a check that could not be made proves nothing";

template <typename Enum, std::size_t size>
OrFault<Enum> read_word(const TomlScalar& value,
                        const std::array<policy::Word<Enum>, size>& table) {
    std::vector<std::string> words;
    std::ranges::transform(table, std::back_inserter(words), [](const auto& row) {
        return '"' + std::string{row.word} + '"';
    });
    return read_string(value, alternatives(words)).and_then([&](const std::string& text) {
        const auto known = policy::value_of(table, text);
        return known ? OrFault<Enum>{*known} : wrong_text(value, alternatives(words));
    });
}

template <typename Enum, std::size_t size>
std::array<policy::Word<Enum>, size> word_values(const std::array<Enum, size>& values) {
    std::array<policy::Word<Enum>, size> table;
    std::ranges::transform(values, table.begin(), [](Enum value) {
        return policy::Word<Enum>{value, policy::to_string(value)};
    });
    return table;
}

// The characters of RFC 3986 and the braces of placeholders, and so neither a space nor what
// printing would have to escape.
bool is_url(std::string_view text) {
    const auto host = text.starts_with("https://")  ? text.substr(8)
                      : text.starts_with("http://") ? text.substr(7)
                                                    : std::string_view{};
    const bool has_host = host.find_first_of("/{") != 0;
    return !host.empty() && has_host && text.size() <= longest_url &&
           is_all_of(text,
                     std::string{letters} + std::string{digits} + "-._~:/?#[]@!$&'()*+,;=%{}");
}

OrFault<policy::ReplyCode> read_code(const TomlScalar& value) {
    static const std::string allowed =
        R"(a 4yz or 5yz code and an enhanced status code of its class, such as "450 4.7.25")";
    return read_string(value, allowed).and_then([&](const std::string& text) {
        const auto code = policy::ReplyCode::parse(text);
        return code ? OrFault<policy::ReplyCode>{*code} : wrong_text(value, allowed);
    });
}

OrFault<policy::ReplyCode> read_temporary_code(const TomlScalar& value, std::string_view why) {
    return read_code(value).and_then([&](const policy::ReplyCode& code) {
        return code.is_permanent() ? wrong_text(value, "a 4yz code, " + std::string{why})
                                   : OrFault<policy::ReplyCode>{code};
    });
}

OrFault<std::string> read_line(const TomlScalar& value) {
    return read_string(value, "a string, one line of the reply");
}

} // namespace

OrFault<std::uint32_t> read_file_mode(const TomlScalar& value) {
    static const std::string allowed = R"(a string of octal digits such as "0660")";
    return read_string(value, allowed).and_then([&](const std::string& text) {
        const auto octal = text.starts_with('0') ? text.substr(1) : text;
        const bool is_mode = octal.size() == 3 && is_all_of(octal, "01234567");
        return is_mode ? OrFault<std::uint32_t>{std::stoul(octal, nullptr, 8)}
                       : wrong_text(value, allowed);
    });
}

OrFault<std::chrono::milliseconds> read_length(const TomlScalar& value, std::chrono::days most) {
    const std::string allowed = R"(a number and a unit, such as "12h", "5d" or "2w", from 1h to )" +
                                std::to_string(most.count()) + 'd';
    return read_string(value, allowed)
        .and_then([&](const std::string& text) -> OrFault<std::chrono::milliseconds> {
            const auto length = parse_length(text);
            const bool is_allowed = length && *length >= std::chrono::hours{1} && *length <= most;
            return is_allowed ? OrFault<std::chrono::milliseconds>{*length}
                              : wrong_text(value, allowed);
        });
}

OrFault<std::string> read_authserv_id(const TomlScalar& value) {
    static const std::string allowed =
        R"(a name without spaces, quotes or any of ()<>@,;:\/[]?=, such as "mx.example.org")";
    return read_string(value, allowed).and_then([&](const std::string& text) {
        const bool is_token =
            !text.empty() && text.size() <= 255 &&
            is_all_of(text, std::string{letters} + std::string{digits} + "!#$%&'*+-.^_`{|}~");
        return is_token ? OrFault<std::string>{text} : wrong_text(value, allowed);
    });
}

OrFault<std::string> read_site(const TomlScalar& value) {
    static const std::string allowed =
        R"(a name of 1 to 100 printable ASCII characters, such as "Example University")";
    return read_string(value, allowed).and_then([&](const std::string& text) {
        const bool is_name =
            !text.empty() && text.size() <= 100 && std::ranges::all_of(text, policy::is_printable);
        return is_name ? OrFault<std::string>{text} : wrong_text(value, allowed);
    });
}

OrFault<std::string> read_url(const TomlScalar& value) {
    static const std::string allowed = "a URL that begins with http:// or https://, at most " +
                                       std::to_string(longest_url) +
                                       " characters of those RFC 3986 allows";
    return read_string(value, allowed).and_then([&](std::string text) -> OrFault<std::string> {
        if (!is_url(text)) {
            return wrong_text(value, allowed);
        }
        if (auto fault = policy::fault_in_address(text)) {
            return fault_at(value, *std::move(fault));
        }
        return text;
    });
}

OrFault<Profile> read_profile(const TomlScalar& value) {
    return read_word(value, word_values(policy::all_profiles));
}

OrFault<Mode> read_mode(const TomlScalar& value) {
    return read_word(
        value,
        word_values(std::array{
            Mode::off, Mode::observe, Mode::tag, Mode::soft, Mode::enforce, Mode::closed}));
}

OrFault<ReverseName> read_reverse_name(const TomlScalar& value) {
    return read_word(value,
                     std::to_array<policy::Word<ReverseName>>({
                         {ReverseName::confirmed, "confirmed"},
                         {ReverseName::present, "present"},
                         {ReverseName::any, "any"},
                     }));
}

OrFault<Authentication> read_authentication(const TomlScalar& value) {
    return read_word(value,
                     std::to_array<policy::Word<Authentication>>({
                         {Authentication::spf_or_dkim, "spf-or-dkim"},
                         {Authentication::spf_and_dkim, "spf-and-dkim"},
                         {Authentication::aligned, "aligned"},
                         {Authentication::any, "any"},
                     }));
}

OrFault<LogLevel> read_log_level(const TomlScalar& value) {
    return read_word(value,
                     std::to_array<policy::Word<LogLevel>>({
                         {LogLevel::error, "error"},
                         {LogLevel::warning, "warning"},
                         {LogLevel::info, "info"},
                         {LogLevel::debug, "debug"},
                     }));
}

OrFault<SenderDomain> read_sender_domain(const TomlScalar& value) {
    return read_word(value,
                     std::to_array<policy::Word<SenderDomain>>({
                         {SenderDomain::reachable, "reachable"},
                         {SenderDomain::any, "any"},
                     }));
}

OrFault<policy::AfterGrace> read_after_grace(const TomlScalar& value) {
    return read_word(value,
                     std::to_array<policy::Word<policy::AfterGrace>>({
                         {policy::AfterGrace::enforce, "enforce"},
                         {policy::AfterGrace::tag, "tag"},
                     }));
}

OrFault<ClosedAt> read_closed_at(const TomlScalar& value) {
    return read_word(value,
                     std::to_array<policy::Word<ClosedAt>>({
                         {ClosedAt::rcpt, "rcpt"},
                         {ClosedAt::helo, "helo"},
                     }));
}

OrFault<MixedRecipients> read_mixed_recipients(const TomlScalar& value) {
    return read_word(value,
                     std::to_array<policy::Word<MixedRecipients>>({
                         {MixedRecipients::split, "split"},
                         {MixedRecipients::strictest, "strictest"},
                     }));
}

OrFault<OnTemperror> read_on_temperror(const TomlScalar& value) {
    return read_word(value,
                     std::to_array<policy::Word<OnTemperror>>({
                         {OnTemperror::tempfail, "tempfail"},
                         {OnTemperror::accept, "accept"},
                     }));
}

OrFault<NullReversePath> read_null_reverse_path(const TomlScalar& value) {
    return read_word(value,
                     std::to_array<policy::Word<NullReversePath>>({
                         {NullReversePath::helo_name, "helo-name"},
                         {NullReversePath::strict, "strict"},
                     }));
}

OrFault<policy::ReplyCode> read_soft_code(const TomlScalar& value, Profile profile, Reason reason) {
    if (is_temperror(reason)) {
        return read_temporary_code(value, proves_nothing);
    }
    const bool is_sent_elsewhere = reason == Reason::closed || profile == Profile::mx6;
    return is_sent_elsewhere
               ? read_code(value)
               : read_temporary_code(value, "because a sender must be able to come back in soft");
}

OrFault<policy::ReplyCode> read_enforce_code(const TomlScalar& value, Reason reason) {
    return is_temperror(reason) ? read_temporary_code(value, proves_nothing) : read_code(value);
}

OrFault<std::vector<std::string>> read_reply_text(const TomlValue& value) {
    auto text = read_array(value, "an array of strings, the lines of the reply", read_line);
    if (!text) {
        return text;
    }
    if (auto fault = policy::fault_in(*text)) {
        return fault_at(value, std::move(*fault));
    }
    return text;
}

} // namespace milter
