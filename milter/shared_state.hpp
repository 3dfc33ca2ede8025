// What the daemon remembers beyond a message beside its journal: the grace ledger and the fallback
// watch.
#pragma once

#include "milter/config.hpp"
#include "milter/log.hpp"
#include "milter/message_identity.hpp"
#include "milter/store/fallback_watch.hpp"
#include "milter/store/grace_service.hpp"
#include "policy/evidence.hpp"
#include "policy/rules.hpp"
#include "policy/verdict.hpp"

#include <memory>
#include <optional>

namespace milter {

// Null where the configuration has no store. `log` outlives it. Trouble with the store stops
// nothing: it is logged when it begins and when it is over.
std::unique_ptr<store::GraceService> start_grace(const Config& config, Log& log);

// The same, and null where nothing is watched for.
std::unique_ptr<store::FallbackWatch> start_fallback_watch(const Config& config, Log& log);

// Tells it of a message that has reached its end: what was put off is remembered, and what had been
// put off and comes again is over. Never throws: whatever is wrong, which is logged, the mail has
// its answer.
void tell_watch(store::FallbackWatch& watch,
                const MessageIdentity& identity,
                const policy::Evidence& evidence,
                const policy::Verdict& verdict,
                Log& log) noexcept;

// Tries to write what waits, and logs what is lost.
void close_fallback_watch(store::FallbackWatch& watch, Log& log);

// Counts a message that falls short and returns what was known before it. Empty where there is no
// answer soon enough, or no room: the sender is as a new one. Its client is known.
std::optional<policy::GraceEvidence> count_refusal(store::GraceService& service,
                                                   const policy::Evidence& evidence,
                                                   const policy::Grace& grace);

} // namespace milter
