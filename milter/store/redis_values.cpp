#include "milter/store/redis_values.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace store::redis {

namespace {

std::int64_t number_from(std::string_view text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

std::string text_in(const Record& record, std::string_view name) {
    const auto field = record.find(name);
    return field == record.end() ? "" : field->second;
}

std::int64_t number_in(const Record& record, std::string_view name) {
    return number_from(text_in(record, name));
}

policy::Time time_in(const Record& record, std::string_view name) {
    return time_from(text_in(record, name));
}

std::string milliseconds_of(policy::Time time) {
    return std::to_string(time.time_since_epoch().count());
}

policy::Time time_from(const std::string& milliseconds) {
    return policy::Time{std::chrono::milliseconds{number_from(milliseconds)}};
}

std::string octets_of(const policy::Address& address) {
    const auto& bytes = address.bytes();
    return {bytes.begin(), bytes.end()};
}

policy::Address address_from(std::string_view octets) {
    policy::Address::Bytes bytes{};
    if (octets.size() == bytes.size()) {
        std::ranges::transform(
            octets, bytes.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
    }
    return policy::Address{bytes};
}

} // namespace store::redis
