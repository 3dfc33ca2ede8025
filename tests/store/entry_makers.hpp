// Entries of the journal: the ordinary one, and what may differ from it.
#pragma once

#include "policy/decide.hpp"
#include "policy/journal.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <chrono>
#include <string>

namespace tests {

inline constexpr policy::Time noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} +
                                   std::chrono::hours{12}};

inline policy::JournalEntry entry(const std::string& case_id) {
    policy::Evidence evidence = unauthenticated_evidence();
    evidence.time = noon;
    evidence.listener = {"mx", "2001:db8::25", "25"};
    evidence.dkim = {signature(policy::DkimResult::fail)};
    evidence.dkim->front().signature = "dGVzdA+/="; // no more of it is kept
    const auto verdict = policy::decide(evidence, {}).value();
    return {noon, "mx.example.net", case_id, "4XYZ", evidence, verdict, std::nullopt};
}

} // namespace tests
