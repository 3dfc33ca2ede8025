#include "policy/results.hpp"

#include "policy/words.hpp"

namespace policy {

namespace {

constexpr auto iprev_words = std::to_array<Word<IprevResult>>({
    {IprevResult::pass, "pass"},
    {IprevResult::fail, "fail"},
    {IprevResult::temperror, "temperror"},
    {IprevResult::permerror, "permerror"},
});

constexpr auto spf_words = std::to_array<Word<SpfResult>>({
    {SpfResult::none, "none"},
    {SpfResult::neutral, "neutral"},
    {SpfResult::pass, "pass"},
    {SpfResult::fail, "fail"},
    {SpfResult::softfail, "softfail"},
    {SpfResult::policy, "policy"},
    {SpfResult::temperror, "temperror"},
    {SpfResult::permerror, "permerror"},
});

constexpr auto dkim_words = std::to_array<Word<DkimResult>>({
    {DkimResult::none, "none"},
    {DkimResult::pass, "pass"},
    {DkimResult::fail, "fail"},
    {DkimResult::policy, "policy"},
    {DkimResult::neutral, "neutral"},
    {DkimResult::temperror, "temperror"},
    {DkimResult::permerror, "permerror"},
});

} // namespace

std::string_view to_string(IprevResult result) {
    return word_for(iprev_words, result);
}

std::string_view to_string(SpfResult result) {
    return word_for(spf_words, result);
}

std::string_view to_string(DkimResult result) {
    return word_for(dkim_words, result);
}

std::optional<IprevResult> iprev_result_from(std::string_view word) {
    return value_of(iprev_words, word);
}

std::optional<SpfResult> spf_result_from(std::string_view word) {
    return value_of(spf_words, word);
}

std::optional<DkimResult> dkim_result_from(std::string_view word) {
    return value_of(dkim_words, word);
}

} // namespace policy
