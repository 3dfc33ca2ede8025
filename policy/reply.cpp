#include "policy/reply.hpp"

#include "policy/authentication_results.hpp"
#include "policy/placeholders.hpp"
#include "policy/stage_choice.hpp"
#include "policy/text_lines.hpp"

#include <cstddef>

namespace policy {

namespace {

// Postfix keeps some 2,048 octets of a reply in the bounce, libmilter takes 32 lines (measured).
constexpr std::size_t max_octets = 2'000;
constexpr std::size_t max_lines = 32;
constexpr std::size_t max_columns = 78;
constexpr std::size_t max_line_octets = 490; // of a word without a space (RFC 5321: 512)

// "550-5.7.25 "
std::size_t prefix_size(const ReplyCode& code) {
    return code.to_string().size() + 1;
}

bool fits(const Reply& reply) {
    std::size_t octets = 0;
    for (const auto& line : reply.lines) {
        octets += prefix_size(reply.code) + line.size() + 2;
    }
    return octets <= max_octets && reply.lines.size() <= max_lines;
}

void append(Reply& reply, std::string_view text, std::string_view indent) {
    for (std::string_view line : wrap(text, max_columns - prefix_size(reply.code), indent)) {
        for (; line.size() > max_line_octets; line.remove_prefix(max_line_octets)) {
            reply.lines.emplace_back(line.substr(0, max_line_octets));
        }
        reply.lines.emplace_back(line);
    }
}

std::string help_line(const ReplyContext& context) {
    return context.help_url.empty() ? "" : "See " + std::string{context.help_url};
}

// The text after the first line, as far as it leaves room for the help address.
void add_text(Reply& reply, const ReplyTemplate& row, const Scene& scene) {
    const std::string help = help_line(scene.context);
    for (std::size_t i = 1; i < row.text.size(); ++i) {
        const std::string text = expand(row.text[i], scene, other_lines_limit);
        if (text.empty() && !row.text[i].empty()) {
            continue; // there is nothing behind its placeholders
        }
        Reply longer = reply;
        append(longer, text, "");
        Reply with_help = longer;
        append(with_help, help, "");
        if (!fits(with_help)) {
            break;
        }
        reply = longer;
    }
    if (!help.empty()) {
        append(reply, help, "");
    }
}

// The results as one field, each beginning a line; those that no longer fit are left out whole.
void add_results(Reply& reply, const Scene& scene) {
    Reply longer = reply;
    append(longer, "Authentication-Results: " + std::string{scene.context.authserv_id}, " ");
    for (const auto& result : resinfos(scene.evidence)) {
        longer.lines.back() += ';';
        append(longer, ' ' + result, "  ");
        if (!fits(longer)) {
            break;
        }
        reply = longer;
    }
}

} // namespace

const ReplyCode& code_for(const Verdict& verdict, const Policy& policy) {
    const ReplyTemplate& row = stage_named(policy, verdict.stage).replies[verdict.reason.value()];
    return verdict.mode == Mode::soft ? row.soft : row.enforce;
}

Reply reply_for(const Verdict& verdict,
                const Evidence& evidence,
                const Policy& policy,
                const ReplyContext& context) {
    const ReplyTable& replies = stage_named(policy, verdict.stage).replies;
    const ReplyTemplate& row = replies[verdict.reason.value()];
    const Scene scene{verdict, evidence, context};
    Reply reply{code_for(verdict, policy), {expand(row.text.at(0), scene, first_line_limit)}};
    add_text(reply, row, scene);
    if (replies.has_diagnostics) {
        add_results(reply, scene);
    }
    return reply;
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
