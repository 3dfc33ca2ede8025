#include "policy/decide.hpp"
#include "policy/replay.hpp"
#include "tests/policy/evidence_makers.hpp"

#include <doctest/doctest.h>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

namespace {

Policy in_mode(Mode mode) {
    Policy policy;
    policy.stages.front().mode = mode;
    return policy;
}

// As the daemon journals it.
JournalEntry journalled(const Evidence& evidence, const Policy& policy) {
    JournalEntry entry;
    entry.evidence = as_counted(evidence, policy);
    entry.verdict = decide(evidence, policy).value();
    return entry;
}

Evidence wide_evidence() {
    Evidence evidence = tests::unauthenticated_evidence();
    evidence.spf_mail_from = tests::spf(SpfResult::pass);
    evidence.spf_mail_from->is_wide = true;
    return evidence;
}

} // namespace

TEST_CASE("a replay says what a policy would have said at the time") {
    Policy strict = in_mode(Mode::enforce);
    strict.stages.front().requirements.count_wide_spf = false;
    for (const auto& evidence :
         {tests::good_evidence(), tests::unauthenticated_evidence(), wide_evidence()}) {
        for (const auto& then : {Policy{}, in_mode(Mode::soft), strict}) {
            for (const auto& now : {Policy{}, in_mode(Mode::soft), strict}) {
                CHECK(replayed(journalled(evidence, then), now) == decide(evidence, now));
            }
        }
    }
}

TEST_CASE("what a closed stage refused unchecked cannot be judged by another") {
    Evidence evidence = tests::good_evidence();
    evidence.iprev.reset();
    evidence.dkim.reset();
    const JournalEntry entry = journalled(evidence, in_mode(Mode::closed));
    CHECK(replayed(entry, in_mode(Mode::closed)) == entry.verdict);
    CHECK_FALSE(replayed(entry, in_mode(Mode::enforce)).has_value());
}
