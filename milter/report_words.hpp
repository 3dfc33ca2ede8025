// Numbers and moments as a report for people shows them.
#pragma once

#include "policy/journal.hpp"
#include "policy/report.hpp"
#include "policy/sender_kind.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace milter {

std::string grouped(std::uint64_t number); // "12,345"

std::string counted(std::uint64_t number, std::string_view one, std::string_view more);

// "9.6%". What is not nothing never reads 0.0%, and what is not all never 100.0%.
std::string percent(std::uint64_t part, std::uint64_t whole);
double share(std::uint64_t part, std::uint64_t whole);

std::string date(std::chrono::sys_days day); // "2026-11-22"
std::string short_date(policy::Time time);   // "11-22", in UTC
std::string minute(policy::Time time);       // "2026-11-22 08:00", in UTC

std::string_view word_for(policy::SenderKind kind);  // for a table
std::string_view words_for(policy::SenderKind kind); // for a sentence

// "example.org", "<> example.org", printable.
std::string name_of(const policy::SendingDomain& sender_domain);

} // namespace milter
