// Why a message is under the stage that it is under, and what it would meet under the others.
#pragma once

#include "milter/terminal.hpp"
#include "policy/evidence.hpp"
#include "policy/rules.hpp"
#include "policy/selector.hpp"
#include "policy/verdict.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace milter {

// A stage that was looked at, and each part of its selector.
struct StageStanding {
    const policy::Stage* stage = nullptr; // of the policy
    std::vector<policy::PartMatch> parts;

    friend bool operator==(const StageStanding& a, const StageStanding& b);
};

// For recipients that are under the same stage for the same reasons.
struct StageChoice {
    std::vector<std::string> recipients;  // empty: there is none
    std::vector<StageStanding> looked_at; // in order; the last is the one that applies
    bool is_certain = true;               // no stage before it might apply
    bool is_split_off = false;            // 452 4.5.3: it would come in a transaction of its own
};

// Empty where the client is exempt. `recipients` are mailboxes, in the order of RCPT. The stages
// are those of `policy`, which outlives what is returned.
std::vector<StageChoice> stage_choices(const policy::Policy& policy,
                                       const policy::Evidence& evidence,
                                       const std::vector<std::string>& recipients);

// What one stage would answer were it the only one.
struct StageAnswer {
    const policy::Stage* stage = nullptr;
    policy::Match match = policy::Match::no; // of the recipients' the one that goes furthest
    std::optional<policy::Verdict> verdict;  // empty: too little is known
    std::optional<policy::ReplyCode> reply;  // empty: the message goes on, or no verdict
};

// `evidence` of a message that was checked.
std::vector<StageAnswer> stage_answers(const policy::Policy& policy,
                                       const policy::Evidence& evidence,
                                       const std::vector<std::string>& recipients);

// Paragraphs with their headings, each after an empty line. Of the choices each earlier stage with
// the parts that kept it from matching; of the answers a table.
std::string stages_text(const std::vector<StageChoice>& choices, const policy::Evidence& evidence);
std::string answers_text(const std::vector<StageAnswer>& answers, const Terminal& terminal);

nlohmann::ordered_json to_json(const std::vector<StageChoice>& choices);
nlohmann::ordered_json to_json(const std::vector<StageAnswer>& answers);

} // namespace milter
