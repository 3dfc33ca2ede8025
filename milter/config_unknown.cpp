#include "milter/config_unknown.hpp"

#include "milter/nearest_word.hpp"
#include "milter/toml_values.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

namespace milter {

namespace {

using Keys = std::span<const std::string>;
using Words = std::vector<std::string>;

std::string_view section_of(std::string_view key) {
    return key.substr(0, key.find('.'));
}

std::string_view last_name_of(std::string_view key) {
    return key.substr(section_of(key).size() + 1);
}

Words sections_in(Keys keys) {
    Words sections;
    for (const auto& key : keys) {
        if (std::ranges::find(sections, section_of(key)) == sections.end()) {
            sections.emplace_back(section_of(key));
        }
    }
    sections.emplace_back("reply");
    return sections;
}

Words names_in(std::string_view section, Keys keys) {
    Words names;
    for (const auto& key : keys) {
        if (section_of(key) == section) {
            names.emplace_back(last_name_of(key));
        }
    }
    return names;
}

std::string nearest_of(std::string_view word, Keys keys) {
    const std::vector<std::string_view> words{keys.begin(), keys.end()};
    return std::string{nearest_word(word, words).value_or("")};
}

std::string header_of(const std::string& section) {
    return section == "stage" ? "[[stage]]" : '[' + section + ']';
}

// A key that differs by a slip, those of the same name in other sections, or a section that differs
// by a slip. Empty where there is none.
std::string meant_by(const TomlEntry& entry, Keys keys) {
    auto nearest = nearest_of(TomlEntry{entry.path, {}, {}, {}}.key(), keys);
    if (!nearest.empty()) {
        return nearest;
    }
    Words elsewhere;
    std::ranges::copy_if(keys, std::back_inserter(elsewhere), [&](std::string_view key) {
        return last_name_of(key) == entry.path.back();
    });
    if (!elsewhere.empty()) {
        return alternatives(elsewhere);
    }
    const auto section =
        entry.path.size() == 1 ? nearest_of(entry.path.front(), sections_in(keys)) : "";
    return section.empty() ? "" : header_of(section);
}

} // namespace

tl::unexpected<Fault> unknown_setting(const TomlEntry& entry, Keys keys) {
    const auto names = names_in(entry.path.front(), keys);
    const bool is_key = entry.path.size() > 1 && !names.empty();
    const auto meant = meant_by(entry, keys);
    const std::string what = is_key || !meant.starts_with('[') ? "setting" : "section";
    if (!meant.empty()) {
        return tl::unexpected{
            Fault{entry.place, "no such " + what + "; did you mean " + meant + '?'}};
    }
    return tl::unexpected{
        Fault{entry.place,
              is_key ? "no such setting; here stand " + alternatives(names)
                     : "no such section; there are " + alternatives(sections_in(keys))}};
}

} // namespace milter
