// Replies of the configuration: [reply.PROFILE.REASON] for every stage with that profile, and
// [stage.reply.REASON] for one stage.
#pragma once

#include "milter/toml_document.hpp"
#include "policy/rules.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string>

namespace milter {

// What the profiles answer, where the configuration does not say otherwise.
std::array<policy::ReplyTable, policy::all_profiles.size()> default_replies();

struct ProfileReplies {
    std::array<policy::ReplyTable, policy::all_profiles.size()> tables = default_replies();

    policy::ReplyTable& operator[](policy::Profile profile) {
        return tables[static_cast<std::size_t>(profile)];
    }

    const policy::ReplyTable& operator[](policy::Profile profile) const {
        return tables[static_cast<std::size_t>(profile)];
    }
};

// An entry of [reply].
OrFault<ProfileReplies> with_reply(ProfileReplies replies, const TomlEntry& entry);

// An entry whose path, behind the section of replies, is `path`: a reason and one of its keys. All
// of it is empty, or the key alone, for the entries of the tables themselves.
OrFault<policy::ReplyTable> with_reply_to(policy::ReplyTable replies,
                                          policy::Profile profile,
                                          const TomlEntry& entry,
                                          std::span<const std::string> path);

} // namespace milter
