#include "milter/arguments.hpp"

#include "milter/since.hpp"
#include "milter/toml_values.hpp"
#include "milter/verify/domain.hpp"
#include "policy/ascii.hpp"
#include "policy/printable.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace milter {

namespace {

tl::unexpected<std::string> must_be(const std::string& allowed, std::string_view text) {
    return tl::unexpected{"must be " + allowed + ", not \"" + policy::printable(text, 60) + '"'};
}

} // namespace

OrRefusal<policy::Time> read_since(const std::string& text) {
    if (const auto time = parse_since(text, now())) {
        return *time;
    }
    return must_be("a length of time such as 90s, 30m, 12h, 14d or 2w, or a moment in UTC such as "
                   "2026-11-22 or 2026-11-22T08:00",
                   text);
}

OrRefusal<policy::Time> read_time_option(const std::string& text) {
    if (const auto time = parse_time(text)) {
        return *time;
    }
    return must_be("a moment with its offset such as 2026-11-22T08:00:00+01:00 or "
                   "2026-11-22T07:00:00Z",
                   text);
}

OrRefusal<std::chrono::sys_days> read_day(const std::string& text) {
    constexpr std::size_t length = 10; // of "2026-12-01"
    const auto today = std::chrono::floor<std::chrono::days>(now());
    const auto time = text.size() == length ? parse_since(text, now()) : std::nullopt;
    const auto day = std::chrono::floor<std::chrono::days>(time.value_or(policy::Time{}));
    if (!time || policy::Time{day} != *time || day < today) {
        return must_be("a day such as 2026-12-01, and not a day gone by", text);
    }
    return day;
}

OrRefusal<policy::ListenerPattern> read_listener(const std::string& text) {
    if (auto listener = policy::ListenerPattern::parse(text)) {
        return *std::move(listener);
    }
    return must_be("an address, [address]:port, :port or the name of a listener", text);
}

OrRefusal<policy::Reason> read_reason(const std::string& text) {
    if (const auto reason = policy::reason_from(text)) {
        return *reason;
    }
    std::vector<std::string> words;
    words.reserve(policy::all_reasons.size());
    for (const auto reason : policy::all_reasons) {
        words.emplace_back(to_string(reason));
    }
    return must_be(alternatives(words), text);
}

OrRefusal<std::string> read_domain_option(const std::string& text) {
    if (text.find_first_of("@/: \t") != std::string::npos) {
        return must_be("a domain such as example.org, or <> for the null path", text);
    }
    return text == "<>" ? std::string{} : policy::to_lower(verify::to_a_labels(text));
}

} // namespace milter
