// `sixgate letter`: what to tell the postmaster of a domain, ready to be sent.
#include "policy/letter.hpp"

#include "milter/asked.hpp"
#include "milter/commands.hpp"
#include "milter/config_letter.hpp"
#include "milter/journal.hpp"
#include "milter/letter_text.hpp"
#include "milter/pages.hpp"
#include "milter/report_words.hpp"
#include "milter/rollout.hpp"
#include "milter/setup.hpp"
#include "milter/since.hpp"
#include "milter/standard_output.hpp"
#include "milter/verify/organization.hpp"
#include "policy/probe.hpp"
#include "policy/stage_choice.hpp"

#include <fmt/format.h>
#include <sysexits.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

namespace milter {

namespace {

constexpr std::chrono::days letter_period{14}; // as the report's
constexpr int no_letter = 1;

// That of the option's file, of the configuration's, or ours. Empty: it cannot be had, and why is
// told.
std::optional<std::string> template_for(const LetterOptions& options, const Config& config) {
    const std::string& file =
        options.template_file.empty() ? config.letter.template_file : options.template_file;
    if (file.empty()) {
        return std::string{pages::letter_txt};
    }
    auto letter = letter_in(file);
    if (!letter) {
        fmt::print(stderr, "sixgate: {}\n", letter.error());
        return std::nullopt;
    }
    return *std::move(letter);
}

// Below a public suffix there is not one postmaster: every name under it would be somebody else's.
bool is_public_suffix(const std::string& domain) {
    const std::string below = "x." + domain;
    return verify::organizational_domain(below) == below;
}

policy::LetterFacts facts_on(const LetterOptions& options, const Config& config, policy::Time now) {
    const auto store = open_journal_store(config.store);
    const auto policy = for_journal(config.policy, config.store);
    policy::LetterMaker maker{policy};
    store::Filter filter;
    filter.since = options.since.value_or(now - letter_period);
    const auto reading = store->read(filter, 0, [&](const policy::JournalEntry& entry) {
        if (policy::is_mail_of(entry, options.domain)) {
            maker.add(placed(entry, config.rollout_key));
        }
    });
    tell(reading.unreadable);
    return maker.facts();
}

// As the operator says, or as the stages and their grace do.
std::string deadline_for(const LetterOptions& options,
                         const Config& config,
                         const policy::LetterFacts& facts,
                         policy::Time now) {
    if (options.by) {
        return date(*options.by);
    }
    const auto from = policy::worse_from(facts, for_journal(config.policy, config.store), now);
    return from ? date(std::chrono::floor<std::chrono::days>(*from)) : "";
}

std::string site_of(const Config& config) {
    if (!config.letter.site.empty()) {
        return config.letter.site;
    }
    return config.milter.authserv_id.empty() ? host_name() : config.milter.authserv_id;
}

int tell_that_there_is_none(const LetterOptions& options, const policy::LetterFacts& facts) {
    const std::string seen =
        facts.messages == 0
            ? "the journal has no mail of it over IPv6 in this time"
            : "of " + counted(facts.messages, "delivery", "deliveries") + " none falls short";
    fmt::print(stderr, "sixgate: no letter to {}: {}\n", options.domain, seen);
    return no_letter;
}

} // namespace

int write_letter(const LetterOptions& options) {
    if (options.prints_template) {
        fmt::print("{}", pages::letter_txt);
        flush_standard_output();
        return EX_OK;
    }
    if (is_public_suffix(options.domain)) {
        fmt::print(stderr,
                   "sixgate: {} is a public suffix, under which domains belong to many: name one "
                   "of them\n",
                   options.domain);
        return EX_USAGE;
    }
    const auto config = load_or_tell(options.config_file);
    const auto letter = config ? template_for(options, *config) : std::nullopt;
    if (!letter) {
        return EX_CONFIG;
    }
    const policy::Time time = now();
    const auto facts = facts_on(options, *config, time);
    if (facts.own > 0) {
        fmt::print(stderr,
                   "sixgate: left out {} of hosts that seem to be your own\n",
                   counted(facts.own, "message", "messages"));
    }
    if (facts.findings.empty()) {
        return tell_that_there_is_none(options, facts);
    }
    const auto& stage = policy::stage_named(config->policy, facts.findings.front().stage);
    const LetterContext context{.domain = options.domain,
                                .site = site_of(*config),
                                .asked = asked_by(stage.requirements),
                                .deadline = deadline_for(options, *config, facts, time),
                                .probe = policy::probe_address(config->policy),
                                .help_url = stage.help_url};
    fmt::print("{}", letter_text(*letter, facts, context));
    flush_standard_output();
    return EX_OK;
}

} // namespace milter
