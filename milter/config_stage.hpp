// The stages: what [policy] says for all of them, and each [[stage]] for itself (DESIGN section 8).
#pragma once

#include "milter/config_reply.hpp"
#include "milter/config_setting.hpp"
#include "policy/rules.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace milter {

// A stage while it is read.
struct StageDraft {
    policy::Stage stage;
    policy::Profile profile = policy::Profile::rfc7372;
    std::vector<policy::Prefix> networks; // of its selector, from all keys that name some
};

// Those of [policy] that a stage may have, too; and those that only a stage has.
std::span<const Setting<StageDraft>> shared_settings();
std::span<const Setting<StageDraft>> stage_settings();

// The table of grace, [policy.grace] or [stage.grace]: it grants what none of its keys changes.
bool is_grace_table(const TomlEntry& entry);
OrFault<StageDraft> with_grace_table(StageDraft draft, const TomlEntry& entry);

// What stands around the stages.
struct StageScene {
    const StageDraft& policy; // what [policy] says
    const ProfileReplies& replies;
    std::span<const std::string> keys; // that the whole configuration may have
    const ReadFile& read_file;
};

// An entry of [[stage]]; the one of a table itself begins a stage. `profile` comes before the
// other keys of its stage.
OrFault<std::vector<StageDraft>>
with_stage_entry(std::vector<StageDraft> stages, const TomlEntry& entry, const StageScene& scene);

struct StageProblem {
    const TomlEntry& entry; // where it shows
    std::string message;
};

// What is wrong with stages that were read from `entries` and are complete; `policy` is what
// [policy] says.
std::optional<StageProblem> problem_in(std::span<const StageDraft> stages,
                                       const policy::Stage& policy,
                                       std::span<const TomlEntry> entries,
                                       bool has_rollout_key);

// `policy` as the last one where none would select the rest.
std::vector<policy::Stage> stages_from(std::vector<StageDraft> drafts, policy::Stage policy);

} // namespace milter
