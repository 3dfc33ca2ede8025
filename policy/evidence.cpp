#include "policy/evidence.hpp"

#include "policy/words.hpp"

namespace policy {

namespace {

constexpr auto outcome_words = std::to_array<Word<NameOutcome>>({
    {NameOutcome::leads_back, "leads_back"},
    {NameOutcome::elsewhere, "elsewhere"},
    {NameOutcome::no_address, "no_address"},
    {NameOutcome::not_looked_up, "not_looked_up"},
});

} // namespace

std::string_view to_string(NameOutcome outcome) {
    return word_for(outcome_words, outcome);
}

std::optional<NameOutcome> name_outcome_from(std::string_view word) {
    return value_of(outcome_words, word);
}

} // namespace policy
