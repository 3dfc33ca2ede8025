#include "milter/config_stage.hpp"

#include "milter/config_selector.hpp"
#include "milter/config_store_values.hpp"
#include "milter/config_unknown.hpp"
#include "milter/config_values.hpp"
#include "milter/toml_values.hpp"
#include "policy/ascii.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace milter {

namespace {

using policy::Grace;
using policy::Mode;
using policy::Requirements;
using policy::Selector;
using policy::Stage;
using Stages = std::vector<StageDraft>;

constexpr std::size_t longest_name = 60;

// --- Settings --------------------------------------------------------------------------------

OrFault<std::string> read_name(const TomlScalar& value) {
    static const std::string allowed = "a word of letters, digits, - and _ that has a letter, at "
                                       "most " +
                                       std::to_string(longest_name) + " characters";
    return read_string(value, allowed).and_then([&](const std::string& text) {
        const bool is_name = text.size() <= longest_name &&
                             is_all_of(text, std::string{letters} + std::string{digits} + "-_") &&
                             std::ranges::any_of(text, policy::is_alpha);
        return is_name ? OrFault<std::string>{text} : wrong_text(value, allowed);
    });
}

// Whatever stands beside the profile overrides it, so the profile is set before all else.
OrFault<StageDraft> set_profile(StageDraft draft, const TomlValue& value, const ReadFile&) {
    return read_profile(value).map([&](policy::Profile profile) {
        draft.profile = profile;
        draft.stage.requirements = policy::requirements_of(profile);
        return std::move(draft);
    });
}

// What several keys name adds up.
template <auto read>
OrFault<StageDraft>
add_networks(StageDraft draft, const TomlValue& value, const ReadFile& read_file) {
    return read_with<read>(value, read_file).map([&](const Prefixes& more) {
        draft.networks.insert(draft.networks.end(), more.begin(), more.end());
        draft.stage.selector.networks = policy::PrefixSet{draft.networks};
        return std::move(draft);
    });
}

template <auto read, auto part>
OrFault<StageDraft>
add_domains(StageDraft draft, const TomlValue& value, const ReadFile& read_file) {
    return read_with<read>(value, read_file).map([&](const Domains& more) {
        auto& domains = draft.stage.selector.*part;
        domains = domains.value_or(policy::DomainSet{});
        std::ranges::for_each(more, [&](const auto& domain) { domains->add(domain); });
        return std::move(draft);
    });
}

template <auto read, auto requirement>
OrFault<StageDraft> require(StageDraft draft, const TomlValue& value, const ReadFile& read_file) {
    return set<read, &StageDraft::stage, &Stage::requirements, requirement>(
        std::move(draft), value, read_file);
}

// Whoever gives one of them wants grace, with what the others are by default.
template <auto read, auto part>
OrFault<StageDraft> grant(StageDraft draft, const TomlValue& value, const ReadFile&) {
    return read(value).map([&](auto&& content) {
        auto& grace = draft.stage.grace;
        grace = grace.value_or(policy::Grace{});
        (*grace).*part = content;
        return std::move(draft);
    });
}

template <auto read, auto part>
OrFault<StageDraft> select(StageDraft draft, const TomlValue& value, const ReadFile& read_file) {
    return set<read, &StageDraft::stage, &Stage::selector, part>(
        std::move(draft), value, read_file);
}

constexpr auto shared = std::to_array<Setting<StageDraft>>({
    {"policy.profile", set_profile},
    {"policy.mode", set<read_mode, &StageDraft::stage, &Stage::mode>},
    {"policy.closed_at", set<read_closed_at, &StageDraft::stage, &Stage::closed_at>},
    {"policy.reverse_name", require<read_reverse_name, &Requirements::reverse_name>},
    {"policy.authentication", require<read_authentication, &Requirements::authentication>},
    {"policy.sender_domain", require<read_sender_domain, &Requirements::sender_domain>},
    {"policy.on_temperror", require<read_on_temperror, &Requirements::on_temperror>},
    {"policy.null_reverse_path", require<read_null_reverse_path, &Requirements::null_reverse_path>},
    {"policy.count_wide_spf", require<read_bool, &Requirements::count_wide_spf>},
    {"policy.help_url", set<read_url, &StageDraft::stage, &Stage::help_url>},
    {"policy.grace.attempts", grant<read_count<1, 10'000>, &Grace::attempts>},
    {"policy.grace.period", grant<read_length_to<60>, &Grace::period>},
    {"policy.grace.then", grant<read_after_grace, &Grace::then>},
});

constexpr auto of_stage = std::to_array<Setting<StageDraft>>({
    {"stage.name", set<read_name, &StageDraft::stage, &Stage::name>},
    {"stage.networks", add_networks<read_ipv6_networks>},
    {"stage.networks_file", add_networks<read_networks_file>},
    {"stage.reverse_names", add_domains<read_domains, &Selector::reverse_names>},
    {"stage.reverse_names_file", add_domains<read_domains_file, &Selector::reverse_names>},
    {"stage.authenticated", add_domains<read_domains, &Selector::authenticated>},
    {"stage.domains_file", add_domains<read_domains_file, &Selector::authenticated>},
    {"stage.recipients", select<read_selected_recipients, &Selector::recipients>},
    {"stage.listeners", select<read_listeners, &Selector::listeners>},
    {"stage.percent", select<read_percent, &Selector::percent>},
    {"stage.from", select<read_time, &Selector::from>},
    {"stage.until", select<read_time, &Selector::until>},
});

const Setting<StageDraft>* find(std::span<const Setting<StageDraft>> settings,
                                std::string_view name) {
    const auto found = std::ranges::find(settings, name, &Setting<StageDraft>::name);
    return found == settings.end() ? nullptr : &*found;
}

// --- From entries to drafts ------------------------------------------------------------------

// What follows the section: "mode", "grace.period".
std::string setting_name_of(const TomlEntry& entry) {
    std::string name = entry.path[1];
    for (const auto& part : std::span{entry.path}.subspan(2)) {
        name += '.' + part;
    }
    return name;
}

StageDraft begun(const StageScene& scene) {
    StageDraft draft = scene.policy;
    draft.stage.name.clear();
    draft.stage.replies = scene.replies[draft.profile];
    return draft;
}

OrFault<StageDraft> with_key(StageDraft draft, const TomlEntry& entry, const StageScene& scene) {
    if (is_grace_table(entry)) {
        return with_grace_table(std::move(draft), entry);
    }
    const auto name = setting_name_of(entry);
    const auto* const own = find(of_stage, name);
    const auto* const setting = own != nullptr ? own : find(shared, name);
    if (setting == nullptr) {
        return unknown_setting(entry, scene.keys);
    }
    return setting->set(std::move(draft), entry.value, scene.read_file).map([&](StageDraft next) {
        if (name == "profile") {
            next.stage.replies = scene.replies[next.profile];
        }
        return next;
    });
}

OrFault<StageDraft> with_own_reply(StageDraft draft, const TomlEntry& entry) {
    const auto path = std::span{entry.path}.subspan(2);
    return with_reply_to(std::move(draft.stage.replies), draft.profile, entry, path)
        .map([&](policy::ReplyTable replies) {
            draft.stage.replies = std::move(replies);
            return std::move(draft);
        });
}

bool has_selector(const Stage& stage) {
    return stage.selector != Selector{};
}

// --- What several keys or stages make wrong --------------------------------------------------

// Of the stage `number`; of its table itself where the key is empty.
const TomlEntry&
entry_of(std::span<const TomlEntry> entries, std::size_t number, std::string_view key) {
    return *std::ranges::find_if(entries, [&](const TomlEntry& entry) {
        const bool is_table = entry.path.size() == 1;
        return entry.path.front() == "stage" && entry.element.number == number &&
               (key.empty() ? is_table : !is_table && entry.path[1] == key);
    });
}

struct Trouble {
    std::string_view key; // of the stage; empty: the table itself
    std::string message;
};

std::optional<Trouble> trouble_with_name(const Stage& stage, std::span<const StageDraft> before) {
    static const std::string of_the_rest = Stage{}.name;
    const auto has_its_name = [&](const StageDraft& other) {
        return other.stage.name == stage.name;
    };
    if (stage.name.empty()) {
        return Trouble{"", "has no name"};
    }
    if (std::ranges::any_of(before, has_its_name)) {
        return Trouble{"name", "is the name of an earlier stage, too"};
    }
    if (stage.name == of_the_rest && has_selector(stage)) {
        return Trouble{"name", "is the name of the last stage, the one without a selector"};
    }
    return std::nullopt;
}

std::optional<Trouble>
trouble_with(const Stage& stage, std::span<const StageDraft> before, bool has_rollout_key) {
    if (auto trouble = trouble_with_name(stage, before)) {
        return trouble;
    }
    if (!before.empty() && !has_selector(before.back().stage)) {
        return Trouble{"",
                       "can never apply: the stage \"" + before.back().stage.name +
                           "\" before it has no selector and takes the rest"};
    }
    const auto& selector = stage.selector;
    if (selector.from && selector.until && *selector.from >= *selector.until) {
        return Trouble{"until", "is not after from: the stage would never apply"};
    }
    if (selector.percent && !has_rollout_key) {
        return Trouble{"percent", "needs [rollout] key, by which senders are placed"};
    }
    return std::nullopt;
}

constexpr const char* not_soft = "is only for the mode \"soft\", which puts mail off";

bool is_grace_of(const TomlEntry& entry, std::string_view section, std::size_t number) {
    return entry.path.size() > 1 && entry.path[0] == section && entry.path[1] == "grace" &&
           entry.element.number == number;
}

// A stage that is not soft may inherit it from [policy], and has none; it may not have its own.
std::optional<StageProblem> problem_with_grace(std::span<const StageDraft> stages,
                                               const Stage& policy,
                                               std::span<const TomlEntry> entries) {
    const auto is_soft = [](const StageDraft& draft) { return draft.stage.mode == Mode::soft; };
    for (const TomlEntry& entry : entries) {
        for (std::size_t i = 0; i < stages.size(); ++i) {
            if (is_grace_of(entry, "stage", i + 1) && !is_soft(stages[i])) {
                return StageProblem{entry, not_soft};
            }
        }
        const bool has_soft = policy.mode == Mode::soft || std::ranges::any_of(stages, is_soft);
        if (is_grace_of(entry, "policy", 0) && !has_soft) {
            return StageProblem{entry, not_soft};
        }
    }
    return std::nullopt;
}

} // namespace

bool is_grace_table(const TomlEntry& entry) {
    return entry.path.size() == 2 && entry.path[1] == "grace";
}

OrFault<StageDraft> with_grace_table(StageDraft draft, const TomlEntry& entry) {
    return read_table(entry).map([&] {
        draft.stage.grace = draft.stage.grace.value_or(Grace{});
        return std::move(draft);
    });
}

std::span<const Setting<StageDraft>> shared_settings() {
    return shared;
}

std::span<const Setting<StageDraft>> stage_settings() {
    return of_stage;
}

OrFault<std::vector<StageDraft>>
with_stage_entry(Stages stages, const TomlEntry& entry, const StageScene& scene) {
    if (entry.element.number == 0) {
        const auto kind =
            entry.value.kind == kind_table ? "a single one, [stage]" : entry.value.kind;
        return fault_at(entry.value, "must be tables, [[stage]], not " + std::string{kind});
    }
    if (entry.path.size() == 1) {
        stages.push_back(begun(scene));
        return stages;
    }
    auto& last = stages.back();
    auto next = entry.path[1] == "reply" ? with_own_reply(std::move(last), entry)
                                         : with_key(std::move(last), entry, scene);
    return next.map([&](StageDraft draft) {
        stages.back() = std::move(draft);
        return std::move(stages);
    });
}

std::optional<StageProblem> problem_in(std::span<const StageDraft> stages,
                                       const policy::Stage& policy,
                                       std::span<const TomlEntry> entries,
                                       bool has_rollout_key) {
    for (std::size_t i = 0; i < stages.size(); ++i) {
        auto trouble = trouble_with(stages[i].stage, stages.first(i), has_rollout_key);
        if (trouble) {
            return StageProblem{entry_of(entries, i + 1, trouble->key),
                                std::move(trouble->message)};
        }
    }
    return problem_with_grace(stages, policy, entries);
}

std::vector<Stage> stages_from(Stages drafts, Stage policy) {
    std::vector<Stage> stages;
    std::ranges::transform(drafts, std::back_inserter(stages), [](StageDraft& draft) {
        return std::move(draft.stage);
    });
    if (stages.empty() || has_selector(stages.back())) {
        stages.push_back(std::move(policy));
    }
    for (Stage& stage : stages) {
        if (stage.mode != Mode::soft) {
            stage.grace.reset();
        }
    }
    return stages;
}

} // namespace milter
