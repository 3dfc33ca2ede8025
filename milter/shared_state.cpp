#include "milter/shared_state.hpp"

#include "milter/rollout.hpp"
#include "milter/since.hpp"
#include "milter/store/open_store.hpp"
#include "policy/fallback.hpp"
#include "policy/journal.hpp"

#include <exception>
#include <string>

namespace milter {

namespace {

// RFC 1035 section 2.3.4; a HELO name may be anything.
constexpr std::size_t longest_domain = 255;

void tell_change(Log& log,
                 const std::string& what,
                 const std::string& trouble,
                 const std::string& counts) {
    if (trouble.empty()) {
        log.write(LogLevel::warning, "event=" + what + "_recovered" + counts);
    } else {
        log.write(LogLevel::error,
                  "event=" + what + "_failed" + policy::logfmt("error", trouble) + counts);
    }
}

void tell_grace(const store::GraceHealth& health, Log& log) {
    tell_change(log,
                "grace",
                health.trouble,
                " unanswered=" + std::to_string(health.unanswered) +
                    " without_room=" + std::to_string(health.without_room));
}

std::string watch_counts(const store::WatchHealth& health) {
    return " waiting=" + std::to_string(health.waiting) +
           " dropped=" + std::to_string(health.dropped);
}

void tell_health_of_watch(const store::WatchHealth& health, Log& log) {
    if (health.trouble.empty() && !health.has_recovered) {
        log.write(LogLevel::warning, "event=fallback_dropped" + watch_counts(health));
        return;
    }
    tell_change(log, "fallback", health.trouble, watch_counts(health));
}

} // namespace

std::unique_ptr<store::GraceService> start_grace(const Config& config, Log& log) {
    if (!store::is_on(config.store)) {
        return nullptr;
    }
    return std::make_unique<store::GraceService>(
        [settings = config.store] {
            return store::open_grace_ledger(settings, store::Access::write);
        },
        [] { return now() - store::GraceLimits{}.unused; },
        [&log](const store::GraceHealth& health) { tell_grace(health, log); });
}

std::unique_ptr<store::FallbackWatch> start_fallback_watch(const Config& config, Log& log) {
    if (!store::is_on(config.store) || !config.fallback_window) {
        return nullptr;
    }
    const store::FallbackTarget target{
        [settings = config.store] { return store::open_key(settings, store::Access::write); },
        [settings = config.store] {
            return store::open_fallback_ledger(settings, store::Access::write);
        }};
    return std::make_unique<store::FallbackWatch>(
        target,
        [window = *config.fallback_window] { return now() - window; },
        [&log](const store::WatchHealth& health) { tell_health_of_watch(health, log); });
}

void tell_watch(store::FallbackWatch& watch,
                const MessageIdentity& identity,
                const policy::Evidence& evidence,
                const policy::Verdict& verdict,
                Log& log) noexcept {
    try {
        const std::string text = identity.text();
        const store::WatchedMessage message{evidence.mail_from, evidence.recipients, text};
        if (text.empty()) {
            return; // it cannot be told from others
        }
        if (const auto refusal = policy::soft_refusal(evidence, verdict, now())) {
            watch.refused(message, *refusal);
        } else if (const auto kind = policy::recovery_by(verdict)) {
            watch.arrived(message, {*kind, now()});
        }
    } catch (const std::exception& error) {
        log.write(LogLevel::error, "event=fallback_failed" + policy::logfmt("error", error.what()));
    }
}

void close_fallback_watch(store::FallbackWatch& watch, Log& log) {
    watch.close();
    const auto health = watch.health();
    if (health.waiting > 0 || health.dropped > 0) {
        log.write(LogLevel::error, "event=fallback_lost" + watch_counts(health));
    }
}

std::optional<policy::GraceEvidence> count_refusal(store::GraceService& service,
                                                   const policy::Evidence& evidence,
                                                   const policy::Grace& grace) {
    store::GraceKey key{policy::network_of(evidence.client.value()).first(),
                        organization_of_sender(evidence)};
    if (key.domain.size() > longest_domain) {
        key.domain.clear();
    }
    const auto record = service.count(key, evidence.time.value_or(now()), grace.period);
    if (!record) {
        return std::nullopt;
    }
    const auto date =
        std::chrono::ceil<std::chrono::minutes>(record->refused_from); // as it is told
    return policy::GraceEvidence{record->first, record->attempts - 1, date};
}

} // namespace milter
