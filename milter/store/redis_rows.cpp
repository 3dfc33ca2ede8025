#include "milter/store/redis_rows.hpp"

#include "milter/store/entry_details.hpp"
#include "milter/store/redis_values.hpp"
#include "policy/ascii.hpp"
#include "policy/printable.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace store {

namespace {

using Octets = std::vector<std::uint8_t>;

std::optional<std::int64_t> number_in(std::string_view text) {
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && rest == end && !text.empty() ? std::optional{number}
                                                                : std::nullopt;
}

// The values of the fields; none where they are not those that fields_of() makes.
std::optional<RedisFields> fields_in(const RedisReply& item) {
    constexpr std::string_view names = "tcade";
    RedisFields fields;
    if (item.items.size() != 2 || item.items[1].items.size() != 2 * names.size()) {
        return std::nullopt;
    }
    const auto& pairs = item.items[1].items;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (pairs[2 * i].text != names.substr(i, 1) || !pairs[2 * i + 1].text) {
            return std::nullopt;
        }
        fields.at(i) = *pairs[2 * i + 1].text;
    }
    return fields;
}

// Without the rest; false where a column is not what it must be.
bool take_columns(const RedisFields& fields, policy::JournalEntry& entry) {
    const auto& [time, case_id, client, domain, _] = fields;
    const auto milliseconds = number_in(time);
    entry.time = policy::Time{std::chrono::milliseconds{milliseconds.value_or(0)}};
    entry.case_id = case_id;
    entry.evidence.mail_from_domain = domain;
    if (client.size() == policy::Address::Bytes{}.size()) {
        entry.evidence.client = redis::address_from(client);
    }
    return milliseconds && (client.empty() || entry.evidence.client);
}

} // namespace

RedisFields fields_of(const policy::JournalEntry& entry) {
    const auto& client = entry.evidence.client;
    const auto details = details_of(entry);
    return {redis::milliseconds_of(entry.time),
            entry.case_id,
            client ? redis::octets_of(*client) : std::string{},
            policy::to_lower(entry.evidence.mail_from_domain),
            std::string(details.begin(), details.end())};
}

std::optional<Store::Position> position_in(const std::string& id) {
    return id.starts_with("0-") ? number_in(std::string_view{id}.substr(2)) : std::nullopt;
}

Row row_of(const RedisReply& item, Store::Position position) {
    Row row{position, {}, {}};
    const auto fields = fields_in(item);
    const bool is_whole = fields && take_columns(*fields, row.entry);
    const std::string name = "case " + policy::printable(row.entry.case_id);
    if (!is_whole) {
        row.trouble = name + ": the entry cannot be read: its fields are damaged";
        return row;
    }
    try {
        row.entry = with_details(row.entry, Octets(fields->back().begin(), fields->back().end()));
    } catch (const StoreError& error) {
        row.trouble = error.what();
    }
    return row;
}

bool is_meant(const Filter& filter, const Row& row) {
    const policy::Evidence& evidence = row.entry.evidence;
    const bool is_in_network =
        !filter.client || (evidence.client && filter.client->contains(*evidence.client));
    const bool is_meant_by_columns =
        (!filter.since || row.entry.time >= *filter.since) &&
        (filter.case_id.empty() || row.entry.case_id == filter.case_id) && is_in_network &&
        (!filter.domain || policy::same_name(evidence.mail_from_domain, *filter.domain));
    return !row.trouble.empty() || (is_meant_by_columns && is_meant_by_details(filter, row.entry));
}

} // namespace store
