#include "milter/verify/dkim_tags.hpp"

#include "policy/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>
#include <set>
#include <utility>

namespace verify {

namespace {

constexpr std::string_view white_space = " \t\r\n";

// Objects and not functions, so that they are compiled into the loops over every octet.
constexpr auto is_white_space = [](char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
};

constexpr auto may_stand_in_tag_list = [](char c) {
    return policy::is_printable(c) || is_white_space(c);
};

std::string without_white_space(std::string_view text) {
    std::string result{text};
    std::erase_if(result, is_white_space);
    return result;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(white_space);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

// RFC 6376 says ALPHA, then ALPHA, DIGIT or "_"; hyphens are seen in the wild and harm nobody.
bool is_tag_name(std::string_view name) {
    return !name.empty() && policy::is_alpha(name.front()) && std::ranges::all_of(name, [](char c) {
        return policy::is_alphanumeric(c) || c == '_' || c == '-';
    });
}

class TagListParser {
public:
    void read(std::string_view text) {
        constexpr std::size_t usual_number = 12;
        list_.tags.reserve(usual_number);
        if (!std::ranges::all_of(text, may_stand_in_tag_list)) {
            complain("has an octet that is not printable ASCII");
        }
        while (!text.empty()) {
            const auto end = std::min(text.find(';'), text.size());
            const bool is_last = end == text.size();
            read_tag(trimmed(text.substr(0, end)), is_last);
            text.remove_prefix(is_last ? end : end + 1);
        }
    }

    TagList result() && { return std::move(list_); }

private:
    void read_tag(std::string_view spec, bool is_last) {
        if (spec.empty() && is_last) {
            return;
        }
        const auto equals = spec.find('=');
        if (equals == std::string_view::npos) {
            complain("has a tag without a value");
            return;
        }
        const auto name = trimmed(spec.substr(0, equals));
        if (!is_tag_name(name)) {
            complain("has a tag without a proper name");
            return;
        }
        // Names are case-sensitive, and libopendkim takes D= for another d=: neither may stand
        // twice.
        if (!names_.insert(policy::to_lower(name)).second) {
            complain("has the tag " + std::string{name} + "= twice");
            return;
        }
        list_.tags.push_back({std::string{name}, without_white_space(spec.substr(equals + 1))});
    }

    void complain(std::string problem) {
        if (list_.problem.empty()) {
            list_.problem = std::move(problem);
        }
    }

    TagList list_;
    // A handful as a rule, which then takes no memory from elsewhere.
    std::array<std::byte, 2048> room_{};
    std::pmr::monotonic_buffer_resource memory_{room_.data(), room_.size()};
    std::pmr::set<std::string> names_{&memory_};
};

} // namespace

std::optional<std::string_view> TagList::find(std::string_view name) const {
    const auto tag = std::ranges::find(tags, name, &Tag::name);
    if (tag == tags.end()) {
        return std::nullopt;
    }
    return tag->value;
}

std::string_view TagList::value_of(std::string_view name) const {
    return find(name).value_or(std::string_view{});
}

TagList parse_tag_list(std::string_view text) {
    TagListParser parser;
    parser.read(text);
    return std::move(parser).result();
}

std::size_t count_in_list(std::string_view list, std::string_view item) {
    std::size_t count = 0;
    while (!list.empty()) {
        const auto end = std::min(list.find(':'), list.size());
        count += policy::same_name(list.substr(0, end), item) ? 1U : 0U;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return count;
}

} // namespace verify
