// What a report is about, besides its numbers.
#pragma once

#include "policy/journal.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace milter {

struct ReportScope {
    policy::Time since;
    policy::Time until;               // when the report was made
    std::string stage;                // empty: all
    std::string candidate;            // the file of another configuration; empty: none
    std::optional<std::size_t> limit; // rows of sender domains and of client networks
};

} // namespace milter
