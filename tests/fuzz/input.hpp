// What the fuzzer writes, read as text: one item a line, "WORD REST", so that a seed can be written
// and a crash be read by eye. \n, \r, \0 and \\ stand for the octets that a line cannot hold.
#pragma once

#include "milter/verify/dns_name.hpp"
#include "policy/address.hpp"
#include "tests/verify/fake_resolver.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What libFuzzer calls with each of its inputs.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer has named it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size);

namespace fuzz {

// What must hold whatever the input is; libFuzzer keeps the input that breaks it.
inline void require(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "does not hold: %s\n", what);
        std::abort();
    }
}

inline std::string_view text_of(const std::uint8_t* octets, std::size_t size) {
    return {reinterpret_cast<const char*>(octets), size};
}

// What stands before the first `separator`, which goes with it; all where there is none.
inline std::string_view take_until(char separator, std::string_view& text) {
    const auto taken = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), taken.size() + 1));
    return taken;
}

inline std::string unescaped(std::string_view text) {
    static constexpr auto escapes =
        std::to_array<std::pair<char, char>>({{'n', '\n'}, {'r', '\r'}, {'0', '\0'}, {'\\', '\\'}});
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto* const escape =
            text[i] == '\\' && i + 1 < text.size()
                ? std::ranges::find(escapes, text[i + 1], &std::pair<char, char>::first)
                : escapes.end();
        result += escape == escapes.end() ? text[i] : escape->second;
        i += escape == escapes.end() ? 0 : 1;
    }
    return result;
}

struct Item {
    std::string_view word;
    std::string text;
};

inline std::vector<Item> items_of(std::string_view input) {
    std::vector<Item> items;
    while (!input.empty()) {
        auto line = take_until('\n', input);
        const auto word = take_until(' ', line);
        items.push_back({word, unescaped(line)});
    }
    return items;
}

// --- A zone ---------------------------------------------------------------------------------

// A name as the program's resolver would give it; none where no packet can hold it.
inline std::optional<std::string> name_in_dns(std::string_view text) {
    const auto wire = verify::wire_name(text);
    return wire ? std::optional{verify::presentation(*wire)} : std::nullopt;
}

inline void add_record(tests::FakeResolver& dns,
                       std::string_view type,
                       std::string_view owner,
                       std::string_view value) {
    if (type == "txt") {
        dns.add_txt(owner, value);
    } else if (const auto address = policy::Address::parse(value); type == "a" && address) {
        dns.add_address(owner, value);
    } else if (const auto name = name_in_dns(value); type == "ptr" && name) {
        const auto client = policy::Address::parse(owner);
        dns.add_name(client ? client->reverse_name() : owner, *name);
    } else if (type == "mx" && name) {
        dns.add_mx(owner, 10, *name);
    }
}

// "fail NAME TYPE", where TYPE ends in the kind of failure.
inline void add_failure(tests::FakeResolver& dns, std::string_view owner, std::string_view how) {
    using verify::RecordType;
    static constexpr auto types =
        std::to_array<std::pair<std::string_view, RecordType>>({{"txt", RecordType::txt},
                                                                {"aaaa", RecordType::aaaa},
                                                                {"a", RecordType::a},
                                                                {"mx", RecordType::mx},
                                                                {"ptr", RecordType::ptr}});
    const auto* const type =
        std::ranges::find_if(types, [how](const auto& row) { return how.starts_with(row.first); });
    if (type != types.end()) {
        const bool is_slow = how.ends_with("timeout");
        dns.fail(owner,
                 type->second,
                 is_slow ? verify::LookupFailure::timeout : verify::LookupFailure::server_failure);
    }
}

// Whether the item belongs to the zone: txt, a, ptr, mx or fail, the owner and a value.
inline bool add_to_zone(tests::FakeResolver& dns, const Item& item) {
    std::string_view value{item.text};
    const auto owner = take_until(' ', value);
    if (item.word == "fail") {
        add_failure(dns, owner, value);
        return true;
    }
    static constexpr auto types = std::to_array<std::string_view>({"txt", "a", "ptr", "mx"});
    if (std::ranges::find(types, item.word) == types.end()) {
        return false;
    }
    add_record(dns, item.word, owner, value);
    return true;
}

} // namespace fuzz
