// Values as a Redis server keeps them: texts, all of them.
#pragma once

#include "policy/address.hpp"
#include "policy/evidence.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace store::redis {

// A hash, by what its fields are called.
using Record = std::map<std::string, std::string, std::less<>>;

// "" where there is none of that name.
std::string text_in(const Record& record, std::string_view name);
std::int64_t number_in(const Record& record, std::string_view name);
policy::Time time_in(const Record& record, std::string_view name);

std::string milliseconds_of(policy::Time time);
policy::Time time_from(const std::string& milliseconds);
std::string octets_of(const policy::Address& address);
policy::Address address_from(std::string_view octets); // :: where they are not 16

} // namespace store::redis
