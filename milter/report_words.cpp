#include "milter/report_words.hpp"

#include "milter/since.hpp"
#include "policy/printable.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace milter {

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t i = digits.size(); i > 3; i -= 3) {
        digits.insert(i - 3, ",");
    }
    return digits;
}

std::string counted(std::uint64_t number, std::string_view one, std::string_view more) {
    return grouped(number) + ' ' + std::string{number == 1 ? one : more};
}

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
    const double exact = 100 * share(part, whole);
    const bool is_some = part > 0 && part < whole;
    return fmt::format("{:.1f}%", is_some ? std::clamp(exact, 0.1, 99.9) : exact);
}

std::string date(std::chrono::sys_days day) {
    return to_string(policy::Time{day}).substr(0, 10);
}

std::string short_date(policy::Time time) {
    return to_string(time).substr(5, 5);
}

std::string minute(policy::Time time) {
    std::string text = to_string(time).substr(0, 16);
    std::ranges::replace(text, 'T', ' ');
    return text;
}

std::string_view word_for(policy::SenderKind kind) {
    switch (kind) {
    case policy::SenderKind::own_range: return "own?";
    case policy::SenderKind::null_path: return "bounce";
    case policy::SenderKind::mailing_list: return "list";
    case policy::SenderKind::forwarded: return "forward";
    case policy::SenderKind::direct: break;
    }
    return "direct";
}

std::string_view words_for(policy::SenderKind kind) {
    switch (kind) {
    case policy::SenderKind::own_range: return "seem to be hosts of your own";
    case policy::SenderKind::null_path: return "bounces (null path)";
    case policy::SenderKind::mailing_list: return "looks like a mailing list";
    case policy::SenderKind::forwarded: return "looks forwarded";
    case policy::SenderKind::direct: break;
    }
    return "comes directly";
}

std::string name_of(const policy::SendingDomain& sender_domain) {
    const std::string domain = policy::printable(sender_domain.domain);
    if (sender_domain.is_null_path) {
        return "<> " + domain;
    }
    return domain.empty() ? "(no domain)" : domain;
}

} // namespace milter
