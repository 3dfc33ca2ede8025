#include "milter/config_warnings.hpp"

#include "milter/store/open_store.hpp"

#include <algorithm>
#include <utility>

namespace milter {

namespace {

using policy::Mode;
using policy::Selector;
using policy::Stage;

// Each warning with its key.
class Warnings {
public:
    Warnings(std::span<const TomlEntry> entries, std::string_view file)
        : entries_{entries}, file_{file} {}

    void add(const std::string& key, std::string message) {
        const auto entry = std::ranges::find(entries_, key, &TomlEntry::key);
        const Place place = entry == entries_.end() ? Place{} : entry->place;
        texts_.push_back(to_string(
            ConfigError{std::string{file_}, place.line, place.column, key, std::move(message)}));
    }

    std::vector<std::string> texts() && { return std::move(texts_); }

private:
    std::span<const TomlEntry> entries_;
    std::string_view file_;
    std::vector<std::string> texts_;
};

bool is_on_loopback(std::string_view server) {
    auto host = server.substr(0, server.rfind(':'));
    host = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
    const auto address = policy::Address::parse(host);
    return address && address->is_loopback();
}

// --- Stages ----------------------------------------------------------------------------------

std::string key_in(const Stage& stage, const std::string& key) {
    return "stage[" + stage.name + "]." + key;
}

void add_on_dates(Warnings& warnings, const Stage& stage, Moment now) {
    const auto& [from, until] = std::pair{stage.selector.from, stage.selector.until};
    if (until && *until <= now) {
        warnings.add(key_in(stage, "until"), "is past: the stage applies to nothing any more");
    } else if (from && *from <= now) {
        warnings.add(key_in(stage, "from"), "is past: the stage applies already");
    }
}

bool waits_for_more_than_helo(const Stage& stage) {
    const Selector& selector = stage.selector;
    return selector.reverse_names || selector.authenticated || selector.percent ||
           !selector.recipients.empty();
}

// A stage that shall answer at HELO can do so where it is known by then that it applies.
void add_on_closed_at(Warnings& warnings, const std::vector<Stage>& stages, const Stage& stage) {
    if (stage.mode != Mode::closed || stage.closed_at != policy::ClosedAt::helo) {
        return;
    }
    for (const Stage& each : stages) {
        if (waits_for_more_than_helo(each)) {
            const bool is_own = &each == &stage;
            warnings.add(stage.name == Stage{}.name ? "policy.closed_at"
                                                    : key_in(stage, "closed_at"),
                         (is_own ? "the stage" : "the stage \"" + each.name + "\" before it") +
                             std::string{" selects by what is not known at HELO: the answer comes "
                                         "later"});
            return;
        }
        if (&each == &stage) {
            return;
        }
    }
}

std::string grace_key_of(const Stage& stage) {
    return stage.name == Stage{}.name ? "policy.grace" : key_in(stage, "grace");
}

// Grace ends what is put off. Where the replies of a stage put nothing off, or nothing is refused
// for good when they are enforced, it ends nothing.
void add_on_grace(Warnings& warnings, const Stage& stage) {
    if (!stage.grace) {
        return;
    }
    const auto any_reply = [&](const auto& is_meant) {
        return std::ranges::any_of(policy::all_reasons, [&](policy::Reason reason) {
            return reason != policy::Reason::closed && !is_temperror(reason) &&
                   is_meant(stage.replies[reason]);
        });
    };
    const auto puts_off = [](const auto& reply) { return !reply.soft.is_permanent(); };
    const auto hardens = [&](const auto& reply) {
        return puts_off(reply) && reply.enforce.is_permanent();
    };
    if (!any_reply(puts_off)) {
        warnings.add(grace_key_of(stage),
                     "changes nothing: the soft replies of the profile refuse for good already");
    } else if (stage.grace->then == policy::AfterGrace::enforce && !any_reply(hardens)) {
        warnings.add(grace_key_of(stage),
                     "changes nothing: the enforce replies of the profile refuse nothing for good "
                     "either; then = \"tag\" would end them");
    }
}

void add_on_store(Warnings& warnings, const Config& config) {
    if (store::is_on(config.store)) {
        return;
    }
    const std::string why = "needs a store, and store.url is \"none\": ";
    if (config.fallback_window) {
        warnings.add("fallback.window", why + "nothing is watched for");
    }
    for (const Stage& stage : config.policy.stages) {
        if (stage.grace) {
            warnings.add(grace_key_of(stage), why + "the stage stays soft for everybody");
        }
    }
}

} // namespace

std::vector<std::string> warnings_on(const Config& config,
                                     std::span<const TomlEntry> entries,
                                     std::string_view file,
                                     Moment now) {
    Warnings warnings{entries, file};
    if (config.milter.authserv_id.empty()) {
        warnings.add("milter.authserv_id",
                     "not set: forged Authentication-Results are not removed");
    }
    for (const auto& server : config.dns.servers) {
        if (!is_on_loopback(server)) {
            warnings.add("dns.servers",
                         server + " is not on this host: whoever is on the way to it can forge its "
                                  "answers");
        }
    }
    if (config.deadline < config.dns.timeout) {
        warnings.add("policy.deadline_ms",
                     "shorter than dns.timeout_ms: no question that is asked at the end of a "
                     "message gets all of its time");
    }
    for (const auto& [local_part, domain] : config.policy.probe_recipients) {
        std::string address = local_part;
        address.append("@").append(domain);
        if (matches_any(config.policy.exempt_recipients, address)) {
            warnings.add("probe.recipients",
                         address + " is one of exempt.recipients: mail to it is delivered, and "
                                   "never answered as a test");
        }
    }
    add_on_store(warnings, config);
    for (const Stage& stage : config.policy.stages) {
        add_on_dates(warnings, stage, now);
        add_on_closed_at(warnings, config.policy.stages, stage);
        add_on_grace(warnings, stage);
    }
    return std::move(warnings).texts();
}

} // namespace milter
