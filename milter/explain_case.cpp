#include "milter/explain_case.hpp"

#include "milter/evidence_json.hpp"
#include "milter/explain_stages.hpp"
#include "milter/explain_text.hpp"
#include "milter/journal.hpp"
#include "milter/rollout.hpp"
#include "milter/since.hpp"
#include "milter/standard_output.hpp"
#include "milter/terminal.hpp"
#include "policy/authentication_results.hpp"
#include "policy/decide.hpp"
#include "policy/policy_field.hpp"
#include "policy/printable.hpp"
#include "policy/replay.hpp"
#include "policy/reply.hpp"
#include "policy/stage_choice.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

namespace milter {

namespace {

constexpr int no_such_case = 1;

// What the configuration makes of an entry.
struct Replay {
    policy::Evidence evidence; // as it counts now
    std::vector<StageChoice> stages;
    std::vector<StageAnswer> all_stages;                     // where they are asked for
    std::optional<policy::Verdict> verdict;                  // empty: too little is known
    std::optional<policy::Reply> reply;                      // empty: the message goes on
    std::vector<std::pair<std::string, std::string>> fields; // that it gets; the last is on top
};

std::string authserv_id_of(const policy::JournalEntry& entry, const Config& config) {
    const std::string& configured = config.milter.authserv_id;
    return configured.empty() ? policy::printable(entry.host) : configured;
}

std::vector<std::pair<std::string, std::string>> fields_for(const policy::Verdict& verdict,
                                                            const policy::Evidence& evidence,
                                                            const policy::Policy& policy,
                                                            std::string_view authserv_id) {
    std::vector<std::pair<std::string, std::string>> fields;
    if (verdict.action != policy::Action::accept || verdict.mode == policy::Mode::off ||
        !evidence.dkim) {
        return fields; // it does not go on, or nothing is checked
    }
    if (verdict.mode == policy::Mode::tag) {
        fields.emplace_back(policy::policy_field_name, policy::policy_field(verdict, policy));
    }
    fields.emplace_back("Authentication-Results",
                        policy::authentication_results(authserv_id, evidence));
    return fields;
}

Replay
replay(const policy::JournalEntry& entry, const Config& config, const ExplainOptions& options) {
    const policy::Policy& policy = config.policy;
    const auto& recipients = entry.evidence.recipients;
    const std::string authserv_id = authserv_id_of(entry, config);
    Replay now;
    now.verdict = policy::replayed(entry, policy);
    now.evidence = now.verdict
                       ? policy::as_counted(entry.evidence, stage_named(policy, now.verdict->stage))
                       : entry.evidence;
    now.stages = stage_choices(policy, now.evidence, recipients);
    if (options.shows_all_stages) {
        now.all_stages = stage_answers(policy, now.evidence, recipients);
    }
    if (!now.verdict) {
        return now;
    }
    if (now.verdict->action != policy::Action::accept) {
        const auto& help_url = policy::stage_named(policy, now.verdict->stage).help_url;
        const policy::ReplyContext context{entry.case_id, authserv_id, help_url};
        now.reply = policy::reply_for(*now.verdict, now.evidence, policy, context);
    }
    now.fields = fields_for(*now.verdict, now.evidence, policy, authserv_id);
    return now;
}

void print_heading(const policy::JournalEntry& entry) {
    fmt::print("Case {}\n    {} at {}",
               policy::printable(entry.case_id),
               to_string(entry.time),
               policy::printable(entry.host));
    if (!entry.queue_id.empty()) {
        fmt::print(", queue id {}", policy::printable(entry.queue_id));
    }
    fmt::print("\n");
}

void print(const policy::JournalEntry& entry, const Replay& now) {
    print_heading(entry);
    fmt::print("\nEvidence (the answers of DNS are not kept)\n{}", evidence_text(now.evidence));
    for (const auto& recipient : now.evidence.recipients) {
        fmt::print("    recipient <{}>\n", policy::printable(recipient));
    }
    fmt::print("{}", stages_text(now.stages, now.evidence));
    if (!now.all_stages.empty()) {
        fmt::print("{}", answers_text(now.all_stages, terminal_at(STDOUT_FILENO)));
    }
    fmt::print("\nVerdict then\n{}", verdict_text(entry.verdict));
    if (entry.reply) {
        fmt::print("    reply {}\n", entry.reply->to_string());
    }
    if (!now.verdict) {
        fmt::print(
            "\nVerdict now\n    cannot be told: it was refused before it was checked, or what "
            "chooses its stage was not asked for\n");
        return;
    }
    fmt::print("\nVerdict now\n{}{}{}",
               verdict_text(*now.verdict),
               reply_text(now.reply),
               fields_text(now.fields));
}

void print_json(const policy::JournalEntry& entry, const Replay& now) {
    nlohmann::ordered_json json = to_json(entry);
    json["evidence"] = to_json(now.evidence);
    json["verdict_then"] = std::exchange(json["verdict"], nullptr);
    json["reply_then"] = std::exchange(json["reply"], nullptr);
    if (now.verdict) {
        json["verdict"] = to_json(*now.verdict);
    }
    if (now.reply) {
        json["reply"] = to_json(*now.reply);
    }
    json["inserted"] = now.fields;
    json["stages"] = to_json(now.stages);
    if (!now.all_stages.empty()) {
        json["all_stages"] = to_json(now.all_stages);
    }
    fmt::print("{}\n", json.dump(2));
}

struct Found {
    std::vector<policy::JournalEntry> entries;
    store::Unreadable unreadable;
};

Found entries_of(const std::string& case_id, store::Store& store) {
    store::Filter filter;
    filter.case_id = case_id;
    std::vector<policy::JournalEntry> entries;
    const auto reading =
        store.read(filter, 0, [&](const policy::JournalEntry& entry) { entries.push_back(entry); });
    return {std::move(entries), reading.unreadable};
}

// Where every recipient was refused by itself, a case has an entry for each of them.
int explain_entries(const std::vector<policy::JournalEntry>& entries,
                    const Config& config,
                    const ExplainOptions& options) {
    int status = EX_OK;
    for (const auto& kept : entries) {
        const auto entry = placed(kept, config.rollout_key);
        const Replay now = replay(entry, config, options);
        if (options.as_json) {
            print_json(entry, now);
        } else {
            fmt::print("{}", &kept == &entries.front() ? "" : "\n");
            print(entry, now);
        }
        status = now.verdict ? status_for(now.verdict->action) : EX_SOFTWARE;
    }
    flush_standard_output();
    return status;
}

} // namespace

int explain_case(const ExplainOptions& options, Config config) {
    const auto store = open_journal_store(config.store);
    const auto [entries, unreadable] = entries_of(options.case_id, *store);
    tell(unreadable);
    if (entries.empty() && unreadable.entries > 0) {
        return EX_SOFTWARE;
    }
    if (entries.empty()) {
        fmt::print(stderr,
                   "sixgate: {}: no such case in {} (entries are kept for {} days)\n",
                   policy::printable(options.case_id),
                   config.store.url,
                   config.store.keep.count());
        return no_such_case;
    }
    config.policy = for_journal(std::move(config.policy), config.store);
    return explain_entries(entries, config, options);
}

} // namespace milter
