#include "policy/grace.hpp"

#include "policy/decide.hpp"
#include "policy/stage_choice.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace policy {

namespace {

// A period that was made longer since counts; one that was made shorter takes nothing back.
Time date_for(const Grace& grace, const GraceEvidence& evidence) {
    return date_of(std::max(evidence.refused_from, evidence.first + grace.period));
}

// The first of these moments at which mail like this is refused, were its tries used up by then.
std::optional<Time>
first_refusal(std::vector<Time> moments, Evidence evidence, const Policy& policy) {
    std::ranges::sort(moments);
    evidence.grace->refusals = std::numeric_limits<std::uint64_t>::max();
    for (const Time moment : moments) {
        evidence.time = moment;
        const auto verdict = decide(evidence, policy);
        if (verdict && verdict->action == Action::reject) {
            return moment;
        }
    }
    return std::nullopt;
}

Evidence with_nothing_left(Evidence evidence) {
    const Time long_ago{};
    evidence.grace = GraceEvidence{long_ago, std::numeric_limits<std::uint64_t>::max(), long_ago};
    return evidence;
}

std::string two_digits(unsigned number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
}

} // namespace

Time date_of(Time end_of_period) {
    return std::chrono::ceil<std::chrono::minutes>(end_of_period);
}

bool is_used_up(const Grace& grace, const Evidence& evidence) {
    return evidence.grace && evidence.time && evidence.grace->refusals >= grace.attempts &&
           *evidence.time >= date_for(grace, *evidence.grace);
}

std::optional<Grace>
grace_that_matters(const Evidence& evidence, const Policy& policy, const Verdict& verdict) {
    const bool has_grace = std::ranges::any_of(
        policy.stages, [](const Stage& stage) { return stage.grace.has_value(); });
    if (!has_grace || verdict.mode != Mode::soft || verdict.action != Action::tempfail ||
        verdict.is_probe) {
        return std::nullopt;
    }
    const auto hardened = decide(with_nothing_left(evidence), policy);
    return hardened && hardened != verdict ? stage_named(policy, hardened->stage).grace
                                           : std::nullopt;
}

std::optional<Time>
refused_from(const Verdict& verdict, const Evidence& evidence, const Policy& policy) {
    const auto& grace = stage_named(policy, verdict.stage).grace;
    const bool is_refused_then = grace && grace->then == AfterGrace::enforce && evidence.grace &&
                                 verdict.mode == Mode::soft && verdict.action == Action::tempfail &&
                                 verdict.would_enforce == Action::reject;
    if (!is_refused_then) {
        return std::nullopt;
    }
    // Whose time is used up and whose tries are not has been told that date, and no other is known.
    const Time date = date_for(*grace, *evidence.grace);
    if (!evidence.time || *evidence.time >= date) {
        return std::nullopt;
    }
    auto moments = bounds_of_stages(policy);
    std::erase_if(moments, [&](Time bound) { return bound <= *evidence.time || bound > date; });
    moments.push_back(date);
    return first_refusal(std::move(moments), evidence, policy);
}

std::string date_told(Time time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    return std::to_string(static_cast<int>(date.year())) + '-' +
           two_digits(static_cast<unsigned>(date.month())) + '-' +
           two_digits(static_cast<unsigned>(date.day())) + ' ' +
           two_digits(static_cast<unsigned>(clock.hours().count())) + ':' +
           two_digits(static_cast<unsigned>(clock.minutes().count())) + " UTC";
}

} // namespace policy
