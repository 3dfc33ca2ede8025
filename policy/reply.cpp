#include "policy/reply.hpp"

#include "policy/grace.hpp"
#include "policy/placeholders.hpp"
#include "policy/probe.hpp"
#include "policy/reply_writer.hpp"
#include "policy/stage_choice.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace policy {

namespace {

std::string help_line(const Scene& scene) {
    return scene.context.help_url.empty() ? "" : "See " + help_address(scene);
}

// Where the text does not say it in words of its own.
constexpr std::string_view date_line =
    "Unless this is mended, such mail will be refused for good from {refused_from} on.";

bool tells_date(const std::string& line) {
    return has_placeholder(line, date_placeholder);
}

// The text after the first line, as far as it leaves room for the help address.
void add_text(ReplyWriter& writer, const ReplyTemplate& row, const Scene& scene) {
    const std::string help = help_line(scene);
    if (scene.refused_from && std::ranges::none_of(row.text, tells_date)) {
        writer.add(expand(date_line, scene, other_lines_limit), help);
    }
    for (std::size_t i = 1; i < row.text.size(); ++i) {
        if (!scene.refused_from && tells_date(row.text[i])) {
            continue;
        }
        const std::string text = expand(row.text[i], scene, other_lines_limit);
        if (text.empty() && !row.text[i].empty()) {
            continue; // there is nothing behind its placeholders
        }
        if (!writer.add(text, help)) {
            break;
        }
    }
    if (!help.empty()) {
        writer.add(help);
    }
}

} // namespace

const ReplyCode& code_for(const Verdict& verdict, const Policy& policy) {
    const Stage& stage = stage_named(policy, verdict.stage);
    const ReplyTemplate& row = stage.replies[verdict.reason.value()];
    return verdict.mode == Mode::soft ? row.soft : row.enforce;
}

Reply reply_for(const Verdict& verdict,
                const Evidence& evidence,
                const Policy& policy,
                const ReplyContext& context) {
    if (verdict.is_probe) {
        return probe_reply(verdict, evidence, policy, context);
    }
    const ReplyTable& replies = stage_named(policy, verdict.stage).replies;
    const ReplyTemplate& row = replies[verdict.reason.value()];
    const Scene scene{verdict, evidence, context, refused_from(verdict, evidence, policy)};
    ReplyCode code = code_for(verdict, policy);
    if (evidence.phase == Phase::helo) {
        code.code = 421;
    }
    ReplyWriter writer{std::move(code), expand(row.text.at(0), scene, first_line_limit)};
    add_text(writer, row, scene);
    if (replies.has_diagnostics) {
        writer.add_diagnostics(evidence, context.authserv_id);
    }
    return writer.reply();
}

std::string to_string(const Reply& reply) {
    std::string text;
    for (std::size_t i = 0; i < reply.lines.size(); ++i) {
        text += std::to_string(reply.code.code) + (i + 1 < reply.lines.size() ? '-' : ' ');
        text += reply.code.enhanced_status + ' ' + reply.lines[i] + '\n';
    }
    return text;
}

} // namespace policy
