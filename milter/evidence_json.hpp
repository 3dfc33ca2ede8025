// Evidence, verdicts and entries of the journal as JSON, for programs that read what is printed.
#pragma once

#include "policy/evidence.hpp"
#include "policy/journal.hpp"
#include "policy/reply.hpp"
#include "policy/verdict.hpp"

#include <nlohmann/json_fwd.hpp>

namespace milter {

nlohmann::ordered_json to_json(const policy::Evidence& evidence);
nlohmann::ordered_json to_json(const policy::Verdict& verdict);
nlohmann::ordered_json to_json(const policy::Reply& reply);
nlohmann::ordered_json to_json(const policy::JournalEntry& entry);

} // namespace milter
