#include "milter/config.hpp"

#include "milter/config_addresses.hpp"
#include "milter/config_store_values.hpp"
#include "milter/config_values.hpp"
#include "milter/nearest_word.hpp"
#include "milter/toml_values.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

namespace milter {

namespace {

using policy::Policy;
using policy::Profile;
using policy::Reason;
using policy::ReplyTemplate;
using policy::Requirements;
using store::StoreSettings;
using verify::DnsSettings;
using Milter = Config::Milter;

// --- The settings ----------------------------------------------------------------------------

// The configuration while it is read: what will be the policy's one stage is still apart.
struct Draft {
    Milter milter;
    DnsSettings dns;
    StoreSettings store;
    Policy policy;
    std::chrono::milliseconds deadline = Config{}.deadline;
    Profile profile = Profile::rfc7372;
    policy::Mode mode = policy::Stage{}.mode;
    Requirements requirements = policy::requirements_of(Profile::rfc7372);
    policy::ReplyTable replies = policy::replies_of(Profile::rfc7372);
    std::string help_url;
};

template <typename Object, typename Member>
auto& at(Object& object, Member member) {
    return object.*member;
}

template <typename Object, typename Section, typename Member>
auto& at(Object& object, Section section, Member member) {
    return object.*section.*member;
}

// What `read` makes of the value goes where `path` leads.
template <auto read, auto... path>
OrFault<Draft> set(Draft draft, const TomlValue& value) {
    return read(value).map([&](auto&& content) {
        at(draft, path...) = std::forward<decltype(content)>(content);
        return std::move(draft);
    });
}

// Whatever stands beside the profile overrides it, so the profile is set before all else.
OrFault<Draft> set_profile(Draft draft, const TomlValue& value) {
    return read_profile(value).map([&](Profile profile) {
        draft.profile = profile;
        draft.requirements = policy::requirements_of(profile);
        draft.replies = policy::replies_of(profile);
        return std::move(draft);
    });
}

struct Setting {
    std::string_view key;
    OrFault<Draft> (*set)(Draft draft, const TomlValue& value);
};

// The deadline stays a minute below the 5 minutes that Postfix (milter_content_timeout) and
// Sendmail (E: of the filter) allow for the end of a message. A client waits for 10 minutes
// (RFC 5321 section 4.5.3.2.6).
constexpr auto settings = std::to_array<Setting>({
    {"milter.socket", set<read_socket, &Draft::milter, &Milter::socket>},
    {"milter.socket_mode", set<read_file_mode, &Draft::milter, &Milter::socket_mode>},
    {"milter.authserv_id", set<read_authserv_id, &Draft::milter, &Milter::authserv_id>},
    {"dns.servers", set<read_dns_servers, &Draft::dns, &DnsSettings::servers>},
    {"dns.timeout_ms", set<read_milliseconds<100, 30'000>, &Draft::dns, &DnsSettings::timeout>},
    {"dns.cache_mb", set<read_mebioctets<1, 4'096>, &Draft::dns, &DnsSettings::cache_octets>},
    {"exempt.networks", set<read_networks, &Draft::policy, &Policy::exempt_networks>},
    {"exempt.recipients", set<read_recipients, &Draft::policy, &Policy::exempt_recipients>},
    {"policy.profile", set_profile},
    {"policy.mode", set<read_mode, &Draft::mode>},
    {"policy.reverse_name",
     set<read_reverse_name, &Draft::requirements, &Requirements::reverse_name>},
    {"policy.authentication",
     set<read_authentication, &Draft::requirements, &Requirements::authentication>},
    {"policy.on_temperror",
     set<read_on_temperror, &Draft::requirements, &Requirements::on_temperror>},
    {"policy.null_reverse_path",
     set<read_null_reverse_path, &Draft::requirements, &Requirements::null_reverse_path>},
    {"policy.count_wide_spf", set<read_bool, &Draft::requirements, &Requirements::count_wide_spf>},
    {"policy.help_url", set<read_url, &Draft::help_url>},
    {"policy.deadline_ms", set<read_milliseconds<1'000, 240'000>, &Draft::deadline>},
    {"store.url", set<read_store_url, &Draft::store, &StoreSettings::url>},
    {"store.keep_days", set<read_days<1, 3'650>, &Draft::store, &StoreSettings::keep>},
    {"store.max_entries",
     set<read_count<1'000, 1'000'000'000>, &Draft::store, &StoreSettings::max_entries>},
    {"store.addresses", set<read_addresses, &Draft::store, &StoreSettings::addresses>},
    {"store.key", set<read_key_file, &Draft::store, &StoreSettings::key_file>},
});

OrFault<ReplyTemplate> set_soft(ReplyTemplate reply, Reason reason, const TomlValue& value) {
    return read_soft_code(value, reason).map([&](policy::ReplyCode code) {
        reply.soft = std::move(code);
        return std::move(reply);
    });
}

OrFault<ReplyTemplate> set_enforce(ReplyTemplate reply, Reason reason, const TomlValue& value) {
    return read_enforce_code(value, reason).map([&](policy::ReplyCode code) {
        reply.enforce = std::move(code);
        return std::move(reply);
    });
}

OrFault<ReplyTemplate> set_text(ReplyTemplate reply, Reason, const TomlValue& value) {
    return read_reply_text(value).map([&](std::vector<std::string> text) {
        reply.text = std::move(text);
        return std::move(reply);
    });
}

struct ReplySetting {
    std::string_view key;
    OrFault<ReplyTemplate> (*set)(ReplyTemplate reply, Reason reason, const TomlValue& value);

    std::string_view name() const { return key.substr(key.rfind('.') + 1); }
};

constexpr auto reply_settings = std::to_array<ReplySetting>({
    {"reply.PROFILE.REASON.soft", set_soft},
    {"reply.PROFILE.REASON.enforce", set_enforce},
    {"reply.PROFILE.REASON.text", set_text},
});

// --- What is no setting ----------------------------------------------------------------------

tl::unexpected<Fault> unknown(const TomlEntry& entry, std::string message) {
    return tl::unexpected{Fault{entry.place, std::move(message)}};
}

std::string_view section_of(std::string_view key) {
    return key.substr(0, key.find('.'));
}

bool is_section(std::string_view word) {
    return std::ranges::find(settings, word, [](const Setting& setting) {
               return section_of(setting.key);
           }) != settings.end();
}

// The keys of `section`, or the sections where there is none of that name.
std::vector<std::string> known_names(std::string_view section) {
    std::vector<std::string> names;
    for (const auto& setting : settings) {
        const auto of = section_of(setting.key);
        const std::string name{is_section(section) ? setting.key.substr(of.size() + 1) : of};
        const bool is_asked_for = !is_section(section) || of == section;
        if (is_asked_for && (names.empty() || names.back() != name)) {
            names.push_back(name);
        }
    }
    if (!is_section(section)) {
        names.emplace_back("reply");
    }
    return names;
}

// A key that differs by a slip, or one of the same name in another section.
std::optional<std::string_view> meant_by(const TomlEntry& entry) {
    std::vector<std::string_view> keys;
    std::ranges::transform(settings, std::back_inserter(keys), &Setting::key);
    if (const auto nearest = nearest_word(entry.key(), keys)) {
        return nearest;
    }
    const auto elsewhere = std::ranges::find_if(keys, [&](std::string_view key) {
        return key.substr(section_of(key).size() + 1) == entry.path.back();
    });
    return elsewhere == keys.end() ? std::nullopt : std::optional{*elsewhere};
}

tl::unexpected<Fault> unknown_setting(const TomlEntry& entry) {
    if (const auto meant = meant_by(entry)) {
        return unknown(entry, "no such setting; did you mean " + std::string{*meant} + '?');
    }
    const bool is_key = entry.path.size() > 1 && is_section(entry.path.front());
    return unknown(entry,
                   (is_key ? "no such setting; here stand " : "no such section; there are ") +
                       alternatives(known_names(entry.path.front())));
}

// --- From entries to a draft -----------------------------------------------------------------

OrFault<Draft> with_section(Draft draft, const TomlEntry& entry) {
    if (entry.value.kind == kind_table) {
        return draft;
    }
    return tl::unexpected{
        Fault{entry.value.place,
              "must be a table, [" + entry.key() + "], not " + std::string{entry.value.kind}}};
}

OrFault<Draft> with_reply_setting(Draft draft, const TomlEntry& entry, Profile profile) {
    const auto reason = policy::reason_from(entry.path[2]);
    if (!reason) {
        std::vector<std::string> reasons;
        std::ranges::transform(policy::all_reasons, std::back_inserter(reasons), [](Reason known) {
            return std::string{policy::to_string(known)};
        });
        return unknown(entry, "no such reason; there are " + alternatives(reasons));
    }
    if (entry.path.size() == 3) {
        return with_section(std::move(draft), entry);
    }
    const auto* const setting =
        std::ranges::find(reply_settings, entry.path[3], &ReplySetting::name);
    if (setting == reply_settings.end()) {
        return unknown(entry, "no such setting; here stand soft, enforce or text");
    }
    // The replies of another profile are read all the same: they have to be right on the day
    // when the profile is changed.
    const bool applies = profile == draft.profile;
    auto replies = applies ? draft.replies : policy::replies_of(profile);
    return setting->set(replies[*reason], *reason, entry.value).map([&](ReplyTemplate reply) {
        draft.replies[*reason] = applies ? std::move(reply) : draft.replies[*reason];
        return std::move(draft);
    });
}

OrFault<Draft> with_reply(Draft draft, const TomlEntry& entry) {
    if (entry.path.size() == 1) {
        return with_section(std::move(draft), entry);
    }
    const auto profile = policy::profile_from(entry.path[1]);
    if (!profile) {
        return unknown(entry, "no such profile; there are rfc7372, gmail, eop or terse");
    }
    return entry.path.size() == 2 ? with_section(std::move(draft), entry)
                                  : with_reply_setting(std::move(draft), entry, *profile);
}

OrFault<Draft> with(Draft draft, const TomlEntry& entry) {
    if (entry.path.front() == "reply") {
        return with_reply(std::move(draft), entry);
    }
    const auto key = entry.key();
    const auto* const setting = std::ranges::find(settings, key, &Setting::key);
    if (setting != settings.end()) {
        return setting->set(std::move(draft), entry.value);
    }
    return is_section(key) ? with_section(std::move(draft), entry) : unknown_setting(entry);
}

Config config_from(Draft draft) {
    Config config;
    config.milter = std::move(draft.milter);
    config.dns = std::move(draft.dns);
    config.store = std::move(draft.store);
    config.policy = std::move(draft.policy);
    policy::Stage& stage = config.policy.stages.front();
    stage.mode = draft.mode;
    stage.requirements = draft.requirements;
    stage.replies = std::move(draft.replies);
    stage.help_url = std::move(draft.help_url);
    config.deadline = draft.deadline;
    return config;
}

// --- Warnings --------------------------------------------------------------------------------

using Entries = std::vector<TomlEntry>;

std::string warning_at(const Entries& entries,
                       std::string_view file,
                       const std::string& key,
                       const std::string& message) {
    const auto entry = std::ranges::find(entries, key, &TomlEntry::key);
    const Place place = entry == entries.end() ? Place{} : entry->place;
    return to_string(ConfigError{std::string{file}, place.line, place.column, key, message});
}

bool is_on_loopback(std::string_view server) {
    auto host = server.substr(0, server.rfind(':'));
    host = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
    const auto address = policy::Address::parse(host);
    return address && address->is_loopback();
}

std::vector<std::string>
warnings_on(const Config& config, const Entries& entries, std::string_view file) {
    std::vector<std::string> warnings;
    if (config.milter.authserv_id.empty()) {
        warnings.push_back(warning_at(entries,
                                      file,
                                      "milter.authserv_id",
                                      "not set: forged Authentication-Results are not removed"));
    }
    for (const auto& server : config.dns.servers) {
        if (!is_on_loopback(server)) {
            warnings.push_back(warning_at(entries,
                                          file,
                                          "dns.servers",
                                          server + " is not on this host: whoever is on the way "
                                                   "to it can forge its answers"));
        }
    }
    if (config.deadline < config.dns.timeout) {
        warnings.push_back(warning_at(entries,
                                      file,
                                      "policy.deadline_ms",
                                      "shorter than dns.timeout_ms: no question that is asked at "
                                      "the end of a message gets all of its time"));
    }
    return warnings;
}

// --- Files -----------------------------------------------------------------------------------

constexpr std::size_t largest_file = 1U << 20U;

ConfigError error_of(std::string_view file, const Fault& fault, std::string key) {
    return {std::string{file}, fault.place.line, fault.place.column, std::move(key), fault.message};
}

// The content, or why there is none.
tl::expected<std::string, std::string> content_of(const std::string& file) {
    const auto last_error = [] { return std::generic_category().message(errno); };
    std::ifstream stream{file, std::ios::binary};
    if (!stream) {
        return tl::unexpected{"cannot be opened: " + last_error()};
    }
    std::string content(largest_file + 1, '\0');
    stream.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (stream.bad()) {
        return tl::unexpected{"cannot be read: " + last_error()};
    }
    content.resize(static_cast<std::size_t>(stream.gcount()));
    if (content.size() > largest_file) {
        return tl::unexpected{"is too large: at most " + std::to_string(largest_file) + " octets"};
    }
    return content;
}

} // namespace

std::string to_string(const ConfigError& error) {
    std::string text = error.file;
    if (error.line > 0) {
        text += ':' + std::to_string(error.line) + ':' + std::to_string(error.column);
    }
    return text + ": " + (error.key.empty() ? "" : error.key + ": ") + error.message;
}

tl::expected<Config, ConfigError> parse_config(std::string_view toml_text, std::string_view file) {
    auto entries = read_toml(toml_text);
    if (!entries) {
        return tl::unexpected{error_of(file, entries.error(), {})};
    }
    std::stable_partition(entries->begin(), entries->end(), [](const TomlEntry& entry) {
        return entry.key() == "policy.profile";
    });
    Draft draft;
    for (const auto& entry : *entries) {
        auto next = with(std::move(draft), entry);
        if (!next) {
            return tl::unexpected{error_of(file, next.error(), entry.key())};
        }
        draft = std::move(*next);
    }
    Config config = config_from(std::move(draft));
    config.warnings = warnings_on(config, *entries, file);
    return config;
}

tl::expected<Config, ConfigError> load_config(const std::string& file) {
    const auto content = content_of(file);
    if (!content) {
        return tl::unexpected{ConfigError{file, 0, 0, {}, content.error()}};
    }
    return parse_config(*content, file);
}

} // namespace milter
