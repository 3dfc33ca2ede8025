// What stands on a command line, made values. Each says what is allowed where it cannot.
#pragma once

#include "policy/journal.hpp"
#include "policy/rules.hpp"
#include "policy/selector.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <string>

namespace milter {

template <typename Value>
using OrRefusal = tl::expected<Value, std::string>;

OrRefusal<policy::Time> read_since(const std::string& text);        // parse_since() as of now
OrRefusal<policy::Time> read_time_option(const std::string& text);  // parse_time()
OrRefusal<std::chrono::sys_days> read_day(const std::string& text); // not before today
OrRefusal<policy::Reason> read_reason(const std::string& text);

OrRefusal<policy::ListenerPattern> read_listener(const std::string& text);

// As A-labels in lower case; "<>" and "" are the null path, which has none: "".
OrRefusal<std::string> read_domain_option(const std::string& text);

} // namespace milter
