#include "policy/evidence.hpp"

#include "policy/words.hpp"

#include <algorithm>
#include <utility>

namespace policy {

namespace {

constexpr auto outcome_words = std::to_array<Word<NameOutcome>>({
    {NameOutcome::leads_back, "leads_back"},
    {NameOutcome::elsewhere, "elsewhere"},
    {NameOutcome::no_address, "no_address"},
    {NameOutcome::not_looked_up, "not_looked_up"},
});

constexpr auto sender_domain_words = std::to_array<Word<SenderDomainResult>>({
    {SenderDomainResult::reachable, "reachable"},
    {SenderDomainResult::unreachable, "unreachable"},
    {SenderDomainResult::null_mx, "null_mx"},
    {SenderDomainResult::temperror, "temperror"},
});

constexpr auto phase_words = std::to_array<Word<Phase>>({
    {Phase::connect, "connect"},
    {Phase::helo, "helo"},
    {Phase::mail, "mail"},
    {Phase::rcpt, "rcpt"},
    {Phase::end_of_message, "end_of_message"},
});

} // namespace

Evidence of_connection(Evidence evidence) {
    Evidence known;
    known.phase = std::min(evidence.phase, Phase::helo);
    known.time = evidence.time;
    known.client = evidence.client;
    known.listener = std::move(evidence.listener);
    known.helo = std::move(evidence.helo);
    known.iprev = std::move(evidence.iprev);
    return known;
}

Evidence before_recipients(const Evidence& evidence) {
    Evidence known;
    known.phase = Phase::rcpt;
    known.time = evidence.time;
    known.client = evidence.client;
    known.listener = evidence.listener;
    known.helo = evidence.helo;
    known.is_authenticated = evidence.is_authenticated;
    known.mail_from = evidence.mail_from;
    known.mail_from_domain = evidence.mail_from_domain;
    known.percentile = evidence.percentile;
    return known;
}

std::string_view to_string(Phase phase) {
    return word_for(phase_words, phase);
}

std::string_view to_string(SenderDomainResult result) {
    return word_for(sender_domain_words, result);
}

std::optional<SenderDomainResult> sender_domain_result_from(std::string_view word) {
    return value_of(sender_domain_words, word);
}

std::string_view to_string(NameOutcome outcome) {
    return word_for(outcome_words, outcome);
}

std::optional<NameOutcome> name_outcome_from(std::string_view word) {
    return value_of(outcome_words, word);
}

} // namespace policy
