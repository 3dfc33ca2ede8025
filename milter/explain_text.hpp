// What is said of evidence, verdicts and answers to people, and to the shell.
#pragma once

#include "policy/evidence.hpp"
#include "policy/reply.hpp"
#include "policy/verdict.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace milter {

// Indented lines that go below a heading; each ends with LF.
std::string evidence_text(const policy::Evidence& evidence);
std::string verdict_text(const policy::Verdict& verdict);

// Paragraphs with their headings, each after an empty line.
std::string reply_text(const std::optional<policy::Reply>& reply); // empty: the message goes on
std::string fields_text(const std::vector<std::pair<std::string, std::string>>& fields);

// The exit status of explain.
int status_for(policy::Action action);

} // namespace milter
