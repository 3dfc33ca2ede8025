#include "milter/toml_values.hpp"

#include "policy/printable.hpp"

namespace milter {

tl::unexpected<Fault> fault_at(const TomlScalar& value, std::string message) {
    return tl::unexpected{Fault{value.place, std::move(message)}};
}

tl::unexpected<Fault> wrong_kind(const TomlScalar& value, const std::string& allowed) {
    return fault_at(value, "must be " + allowed + ", not " + std::string{value.kind});
}

tl::unexpected<Fault> wrong_text(const TomlScalar& value, const std::string& allowed) {
    const auto& text = std::get<std::string>(value.content);
    return fault_at(value, "must be " + allowed + ", not \"" + policy::printable(text, 60) + '"');
}

OrFault<std::string> read_string(const TomlScalar& value, const std::string& allowed) {
    if (const auto* const text = std::get_if<std::string>(&value.content)) {
        return *text;
    }
    return wrong_kind(value, allowed);
}

std::string alternatives(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool is_last = i + 1 == words.size();
        text += i == 0 ? "" : (is_last ? " or " : ", ");
        text += words[i];
    }
    return text;
}

OrFault<void> read_table(const TomlEntry& entry) {
    const bool is_one_of_many = entry.element.number > 0 && entry.path.size() == 1;
    if (entry.value.kind == kind_table && !is_one_of_many) {
        return {};
    }
    const auto kind = is_one_of_many ? "an array of tables" : std::string{entry.value.kind};
    return fault_at(entry.value,
                    "must be a table, [" + TomlEntry{entry.path, {}, {}, {}}.key() + "], not " +
                        kind);
}

OrFault<bool> read_bool(const TomlScalar& value) {
    if (const auto* const boolean = std::get_if<bool>(&value.content)) {
        return *boolean;
    }
    return wrong_kind(value, "true or false");
}

OrFault<std::int64_t> read_number(const TomlScalar& value, std::int64_t least, std::int64_t most) {
    const std::string allowed =
        "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    const auto* const number = std::get_if<std::int64_t>(&value.content);
    if (number == nullptr) {
        return wrong_kind(value, allowed);
    }
    if (*number < least || *number > most) {
        return fault_at(value, "must be " + allowed + ", not " + std::to_string(*number));
    }
    return *number;
}

} // namespace milter
