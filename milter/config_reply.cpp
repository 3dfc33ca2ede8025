#include "milter/config_reply.hpp"

#include "milter/config_values.hpp"
#include "milter/toml_values.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace milter {

namespace {

using policy::Profile;
using policy::Reason;
using policy::ReplyTable;
using policy::ReplyTemplate;

// What a reply is for.
struct Use {
    Profile profile;
    Reason reason;
};

OrFault<ReplyTemplate> set_soft(ReplyTemplate reply, const Use& use, const TomlValue& value) {
    return read_soft_code(value, use.profile, use.reason).map([&](policy::ReplyCode code) {
        reply.soft = std::move(code);
        return std::move(reply);
    });
}

OrFault<ReplyTemplate> set_enforce(ReplyTemplate reply, const Use& use, const TomlValue& value) {
    return read_enforce_code(value, use.reason).map([&](policy::ReplyCode code) {
        reply.enforce = std::move(code);
        return std::move(reply);
    });
}

OrFault<ReplyTemplate> set_text(ReplyTemplate reply, const Use&, const TomlValue& value) {
    return read_reply_text(value).map([&](std::vector<std::string> text) {
        reply.text = std::move(text);
        return std::move(reply);
    });
}

struct ReplySetting {
    std::string_view key;
    OrFault<ReplyTemplate> (*set)(ReplyTemplate reply, const Use& use, const TomlValue& value);

    std::string_view name() const { return key.substr(key.rfind('.') + 1); }
};

constexpr auto reply_settings = std::to_array<ReplySetting>({
    {"reply.PROFILE.REASON.soft", set_soft},
    {"reply.PROFILE.REASON.enforce", set_enforce},
    {"reply.PROFILE.REASON.text", set_text},
});

tl::unexpected<Fault> unknown(const TomlEntry& entry, std::string message) {
    return tl::unexpected{Fault{entry.place, std::move(message)}};
}

template <typename Enum, std::size_t size>
std::string words_of(const std::array<Enum, size>& values) {
    std::vector<std::string> words;
    std::ranges::transform(values, std::back_inserter(words), [](Enum value) {
        return std::string{policy::to_string(value)};
    });
    return alternatives(words);
}

} // namespace

std::array<ReplyTable, policy::all_profiles.size()> default_replies() {
    std::array<ReplyTable, policy::all_profiles.size()> tables;
    std::ranges::transform(policy::all_profiles, tables.begin(), policy::replies_of);
    return tables;
}

OrFault<ReplyTable> with_reply_to(ReplyTable replies,
                                  Profile profile,
                                  const TomlEntry& entry,
                                  std::span<const std::string> path) {
    const auto reason = path.empty() ? std::nullopt : policy::reason_from(path.front());
    if (!path.empty() && !reason) {
        return unknown(entry, "no such reason; there are " + words_of(policy::all_reasons));
    }
    if (path.size() < 2) {
        return read_table(entry).map([&] { return std::move(replies); });
    }
    const auto* const setting = std::ranges::find(reply_settings, path[1], &ReplySetting::name);
    if (setting == reply_settings.end()) {
        return unknown(entry, "no such setting; here stand soft, enforce or text");
    }
    return setting->set(replies[*reason], {profile, *reason}, entry.value)
        .map([&](ReplyTemplate reply) {
            replies[*reason] = std::move(reply);
            return std::move(replies);
        });
}

OrFault<ProfileReplies> with_reply(ProfileReplies replies, const TomlEntry& entry) {
    if (entry.path.size() == 1) {
        return read_table(entry).map([&] { return std::move(replies); });
    }
    const auto profile = policy::profile_from(entry.path[1]);
    if (!profile) {
        return unknown(entry, "no such profile; there are " + words_of(policy::all_profiles));
    }
    const auto path = std::span{entry.path}.subspan(2);
    return with_reply_to(std::move(replies[*profile]), *profile, entry, path)
        .map([&](ReplyTable table) {
            replies[*profile] = std::move(table);
            return std::move(replies);
        });
}

} // namespace milter
