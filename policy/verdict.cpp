#include "policy/verdict.hpp"

#include "policy/words.hpp"

namespace policy {

namespace {

constexpr auto action_words = std::to_array<Word<Action>>({
    {Action::accept, "accept"},
    {Action::tempfail, "tempfail"},
    {Action::reject, "reject"},
});

constexpr auto exemption_words = std::to_array<Word<Exemption>>({
    {Exemption::ipv4, "ipv4"},
    {Exemption::local, "local"},
    {Exemption::network, "network"},
    {Exemption::authenticated, "authenticated"},
    {Exemption::recipients, "recipients"},
});

} // namespace

std::string_view to_string(Action action) {
    return word_for(action_words, action);
}

std::string_view to_string(Exemption exemption) {
    return word_for(exemption_words, exemption);
}

std::optional<Action> action_from(std::string_view word) {
    return value_of(action_words, word);
}

std::optional<Exemption> exemption_from(std::string_view word) {
    return value_of(exemption_words, word);
}

} // namespace policy
