#include "milter/config.hpp"

#include "milter/config_addresses.hpp"
#include "milter/config_reply.hpp"
#include "milter/config_setting.hpp"
#include "milter/config_stage.hpp"
#include "milter/config_store_values.hpp"
#include "milter/config_unknown.hpp"
#include "milter/config_values.hpp"
#include "milter/config_warnings.hpp"
#include "milter/toml_values.hpp"
#include "policy/printable.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>
#include <utility>

namespace milter {

namespace {

using policy::Policy;
using store::StoreSettings;
using verify::DnsSettings;
using Dkim = Config::Dkim;
using Letter = Config::Letter;
using Milter = Config::Milter;
using Entries = std::vector<TomlEntry>;

// --- The settings ----------------------------------------------------------------------------

// The configuration while it is read.
struct Draft {
    Config config;
    StageDraft policy; // what [policy] says, for the stages and for what none of them selects
    std::vector<StageDraft> stages;
    ProfileReplies replies;
};

template <auto read, auto section, auto member>
OrFault<Draft> set_in(Draft draft, const TomlValue& value, const ReadFile& read_file) {
    return set<read, &Draft::config, section, member>(std::move(draft), value, read_file);
}

// The deadline stays a minute below the 5 minutes that Postfix (milter_content_timeout) and
// Sendmail (E: of the filter) allow for the end of a message. A client waits for 10 minutes
// (RFC 5321 section 4.5.3.2.6). The keys of a stage, and those of [policy] that a stage may have,
// stand in config_stage.cpp.
constexpr auto settings = std::to_array<Setting<Draft>>({
    {"milter.socket", set_in<read_socket, &Config::milter, &Milter::socket>},
    {"milter.socket_mode", set_in<read_file_mode, &Config::milter, &Milter::socket_mode>},
    {"milter.log_level", set_in<read_log_level, &Config::milter, &Milter::log_level>},
    {"milter.authserv_id", set_in<read_authserv_id, &Config::milter, &Milter::authserv_id>},
    {"dns.servers", set_in<read_dns_servers, &Config::dns, &DnsSettings::servers>},
    {"dns.timeout_ms", set_in<read_milliseconds<100, 30'000>, &Config::dns, &DnsSettings::timeout>},
    {"dns.cache_mb", set_in<read_mebioctets<1, 4'096>, &Config::dns, &DnsSettings::cache_octets>},
    {"dkim.cached_keys", set_in<read_count<0, 100'000>, &Config::dkim, &Dkim::cached_keys>},
    {"exempt.networks", set_in<read_networks, &Config::policy, &Policy::exempt_networks>},
    {"exempt.recipients", set_in<read_recipients, &Config::policy, &Policy::exempt_recipients>},
    {"policy.mixed_recipients",
     set_in<read_mixed_recipients, &Config::policy, &Policy::mixed_recipients>},
    {"policy.deadline_ms",
     set<read_milliseconds<1'000, 240'000>, &Draft::config, &Config::deadline>},
    {"letter.site", set_in<read_site, &Config::letter, &Letter::site>},
    {"letter.template", set_in<read_path, &Config::letter, &Letter::template_file>},
    {"rollout.key", set<read_rollout_key, &Draft::config, &Config::rollout_key>},
    {"probe.recipients", set_in<read_full_addresses, &Config::policy, &Policy::probe_recipients>},
    {"store.url", set_in<read_store_url, &Config::store, &StoreSettings::url>},
    {"store.keep_days", set_in<read_days<1, 3'650>, &Config::store, &StoreSettings::keep>},
    {"store.max_entries",
     set_in<read_count<1'000, 1'000'000'000>, &Config::store, &StoreSettings::max_entries>},
    {"store.addresses", set_in<read_addresses, &Config::store, &StoreSettings::addresses>},
    {"store.key", set_in<read_key_file, &Config::store, &StoreSettings::key_file>},
    {"store.password_file", set_in<read_path, &Config::store, &StoreSettings::password_file>},
    {"store.ca_file", set_in<read_path, &Config::store, &StoreSettings::ca_file>},
    {"fallback.window", set<read_length_to<30>, &Draft::config, &Config::fallback_window>},
});

std::vector<std::string> keys_of_all() {
    const auto key_of = [](const auto& setting) { return std::string{setting.key}; };
    std::vector<std::string> keys;
    std::ranges::transform(settings, std::back_inserter(keys), key_of);
    std::ranges::transform(stage_settings(), std::back_inserter(keys), key_of);
    for (const auto& setting : shared_settings()) {
        keys.emplace_back(setting.key);
        keys.push_back("stage." + std::string{setting.name()});
    }
    return keys;
}

const std::vector<std::string>& known_keys() {
    static const auto keys = keys_of_all();
    return keys;
}

bool is_section(std::string_view word) {
    return std::ranges::any_of(
        known_keys(), [&](std::string_view key) { return key.substr(0, key.find('.')) == word; });
}

// --- From entries to a draft -----------------------------------------------------------------

template <typename Of>
const Setting<Of>* find(std::span<const Setting<Of>> rows, std::string_view key) {
    const auto found = std::ranges::find(rows, key, &Setting<Of>::key);
    return found == rows.end() ? nullptr : &*found;
}

OrFault<Draft> with_setting(Draft draft, const TomlEntry& entry, const ReadFile& read_file) {
    const auto key = entry.key();
    if (const auto* const setting = find(std::span<const Setting<Draft>>{settings}, key)) {
        return setting->set(std::move(draft), entry.value, read_file);
    }
    if (const auto* const setting = find(shared_settings(), key)) {
        return setting->set(std::move(draft.policy), entry.value, read_file)
            .map([&](StageDraft policy) {
                draft.policy = std::move(policy);
                return std::move(draft);
            });
    }
    if (entry.path.front() == "policy" && is_grace_table(entry)) {
        return with_grace_table(std::move(draft.policy), entry).map([&](StageDraft policy) {
            draft.policy = std::move(policy);
            return std::move(draft);
        });
    }
    const bool is_header = entry.path.size() == 1 && is_section(entry.path.front());
    if (!is_header) {
        return unknown_setting(entry, known_keys());
    }
    return read_table(entry).map([&] { return std::move(draft); });
}

OrFault<Draft> with(Draft draft, const TomlEntry& entry, const ReadFile& read_file) {
    if (entry.path.front() == "reply") {
        return with_reply(std::move(draft.replies), entry).map([&](ProfileReplies replies) {
            draft.replies = std::move(replies);
            return std::move(draft);
        });
    }
    if (entry.path.front() == "stage") {
        const StageScene scene{draft.policy, draft.replies, known_keys(), read_file};
        return with_stage_entry(std::move(draft.stages), entry, scene)
            .map([&](std::vector<StageDraft> stages) {
                draft.stages = std::move(stages);
                return std::move(draft);
            });
    }
    return with_setting(std::move(draft), entry, read_file);
}

// A profile is set before the keys that override it, and all that stages inherit before them. For
// the rest the order of the text stands.
std::tuple<std::size_t, int> rank_of(const TomlEntry& entry) {
    const bool is_stage = entry.path.front() == "stage";
    const bool begins_stage = is_stage && entry.path.size() == 1;
    const bool is_profile = entry.path.size() == 2 && entry.path[1] == "profile";
    return {is_stage ? entry.element.number + 1 : 0, begins_stage ? 0 : is_profile ? 1 : 2};
}

Config config_from(Draft draft) {
    Config config = std::move(draft.config);
    policy::Stage rest = std::move(draft.policy.stage);
    rest.replies = draft.replies[draft.policy.profile];
    config.policy.stages = stages_from(std::move(draft.stages), std::move(rest));
    return config;
}

ConfigError error_of(std::string_view file, Fault fault, std::string key) {
    return {fault.file.empty() ? std::string{file} : std::move(fault.file),
            fault.place.line,
            fault.place.column,
            std::move(key),
            std::move(fault.message)};
}

} // namespace

std::string to_string(const ConfigError& error) {
    std::string text = policy::printable(error.file, 200);
    if (error.line > 0) {
        text += ':' + std::to_string(error.line) + ':' + std::to_string(error.column);
    }
    return text + ": " + (error.key.empty() ? "" : error.key + ": ") + error.message;
}

tl::expected<Config, ConfigError>
parse_config(std::string_view toml_text, std::string_view file, const ReadFile& read_file) {
    auto entries = read_toml(toml_text);
    if (!entries) {
        return tl::unexpected{error_of(file, entries.error(), {})};
    }
    std::ranges::stable_sort(*entries, {}, rank_of);
    Draft draft;
    for (const auto& entry : *entries) {
        auto next = with(std::move(draft), entry, read_file);
        if (!next) {
            return tl::unexpected{error_of(file, next.error(), entry.key())};
        }
        draft = std::move(*next);
    }
    const bool has_rollout_key = !draft.config.rollout_key.empty();
    if (auto problem = problem_in(draft.stages, draft.policy.stage, *entries, has_rollout_key)) {
        return tl::unexpected{error_of(
            file, Fault{problem->entry.place, std::move(problem->message)}, problem->entry.key())};
    }
    Config config = config_from(std::move(draft));
    if (auto problem = problem_in(config, *entries)) {
        return tl::unexpected{error_of(
            file, Fault{problem->entry.place, std::move(problem->message)}, problem->entry.key())};
    }
    const auto now =
        std::chrono::time_point_cast<Moment::duration>(std::chrono::system_clock::now());
    config.warnings = warnings_on(config, *entries, file, now);
    return config;
}

tl::expected<Config, ConfigError> load_config(const std::string& file) {
    constexpr std::size_t largest_file = 1U << 20U;
    const auto content = content_of(file, largest_file);
    if (!content) {
        return tl::unexpected{ConfigError{file, 0, 0, {}, content.error()}};
    }
    return parse_config(*content, file);
}

} // namespace milter
