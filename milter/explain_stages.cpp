#include "milter/explain_stages.hpp"

#include "milter/evidence_json.hpp"
#include "milter/since.hpp"
#include "milter/text_table.hpp"
#include "policy/decide.hpp"
#include "policy/printable.hpp"
#include "policy/reply.hpp"
#include "policy/stage_choice.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace milter {

namespace {

using policy::Evidence;
using policy::Match;
using policy::PartMatch;
using policy::Policy;
using policy::Selector;
using policy::SelectorPart;
using policy::Stage;

constexpr std::size_t most_recipients_told = 5;
constexpr std::size_t table_margin = 4;

std::string_view match_word(Match match) {
    switch (match) {
    case Match::no: return "no";
    case Match::unknown: return "unknown";
    case Match::yes: break;
    }
    return "yes";
}

bool is_same(const PartMatch& a, const PartMatch& b) {
    return a.part == b.part && a.match == b.match;
}

// "" is nobody's address, and what a stage with recipients does not select.
std::vector<std::string> or_nobody(const std::vector<std::string>& recipients) {
    return recipients.empty() ? std::vector<std::string>{""} : recipients;
}

std::vector<StageStanding> standings_up_to(const Stage* chosen,
                                           const Policy& policy,
                                           const Evidence& evidence,
                                           std::string_view recipient) {
    std::vector<StageStanding> standings;
    for (const Stage& stage : policy.stages) {
        standings.push_back({&stage, matches_of(stage.selector, evidence, recipient)});
        if (&stage == chosen) {
            break;
        }
    }
    return standings;
}

bool is_refused_at_rcpt(const Policy& policy, Evidence at_rcpt, const std::string& recipient) {
    at_rcpt.recipients = {recipient};
    const auto verdict = decide(at_rcpt, policy);
    return verdict && verdict->action != policy::Action::accept;
}

bool is_split_off(const Policy& policy,
                  Evidence at_rcpt,
                  const std::string& recipient,
                  const std::string& first) {
    at_rcpt.recipients = {first};
    return policy::is_split_off(at_rcpt, policy, recipient);
}

void add(std::vector<StageChoice>& choices, StageChoice choice) {
    const auto is_alike = [&](const StageChoice& other) {
        return other.looked_at == choice.looked_at && other.is_certain == choice.is_certain &&
               other.is_split_off == choice.is_split_off;
    };
    const auto found = std::ranges::find_if(choices, is_alike);
    if (found == choices.end()) {
        choices.push_back(std::move(choice));
    } else {
        found->recipients.push_back(choice.recipients.front());
    }
}

std::string time_or_never(const std::optional<policy::Time>& time) {
    return time ? milter::to_string(*time) : "never";
}

std::string why_recipients(Match match, std::string_view recipient) {
    if (recipient.empty()) {
        return "there is none";
    }
    return '<' + policy::printable(recipient) +
           (match == Match::unknown ? "> has more than one reading" : "> is none of them");
}

std::string why_percent(const Selector& selector, const Evidence& evidence) {
    if (!evidence.percentile) {
        return "it is not known where the sender stands";
    }
    return fmt::format(
        "the sender stands at {:.2f}, not below {}", *evidence.percentile, *selector.percent);
}

// What kept a part from matching.
std::string why(const PartMatch& found,
                const Selector& selector,
                const Evidence& evidence,
                std::string_view recipient) {
    const bool is_unknown = found.match == Match::unknown;
    switch (found.part) {
    case SelectorPart::networks: return "the client is in none of them";
    case SelectorPart::listeners: return "the listener is none of them";
    case SelectorPart::from:
        return is_unknown ? "the time is not known" : "begins " + time_or_never(selector.from);
    case SelectorPart::until:
        return is_unknown ? "the time is not known" : "ended " + time_or_never(selector.until);
    case SelectorPart::percent: return why_percent(selector, evidence);
    case SelectorPart::recipients: return why_recipients(found.match, recipient);
    case SelectorPart::reverse_names:
        if (!evidence.iprev) {
            return "not checked";
        }
        return is_unknown ? "a name could not be looked up"
                          : "no name that leads back to the client is one of them";
    case SelectorPart::authenticated:
        if (!evidence.dkim) {
            return "not checked";
        }
        return is_unknown ? "a domain could not be checked"
                          : "no domain that has passed SPF or DKIM is one of them";
    }
    return "";
}

std::string heading_of(const StageChoice& choice, bool is_one_of_many) {
    std::string text = "Stages";
    if (is_one_of_many) {
        std::size_t told = 0;
        for (const auto& recipient : choice.recipients) {
            if (told == most_recipients_told) {
                text += fmt::format(" and {} more", choice.recipients.size() - told);
                break;
            }
            text += (told++ == 0 ? " for <" : ", <") + policy::printable(recipient) + '>';
        }
    }
    return text + (choice.is_split_off ? ": split off with 452 4.5.3\n" : "\n");
}

std::string
text_of(const StageStanding& standing, const Evidence& evidence, std::string_view recipient) {
    const auto is_no = [](const PartMatch& each) { return each.match == Match::no; };
    const bool certainly_not = std::ranges::any_of(standing.parts, is_no);
    std::string text = fmt::format("    {}: {}\n",
                                   policy::printable(standing.stage->name),
                                   certainly_not ? "does not match" : "might match");
    for (const PartMatch& part : standing.parts) {
        const bool is_meant = certainly_not ? is_no(part) : part.match == Match::unknown;
        if (is_meant) {
            text += fmt::format("        {}: {}\n",
                                to_string(part.part),
                                why(part, standing.stage->selector, evidence, recipient));
        }
    }
    return text;
}

// The stage alone, for whoever comes.
Policy only(const Stage& stage, const Policy& policy) {
    Policy alone;
    alone.exempt_networks = policy.exempt_networks;
    alone.exempt_recipients = policy.exempt_recipients;
    alone.stages = {stage};
    alone.stages.front().selector = {};
    return alone;
}

std::optional<policy::ReplyCode> reply_code(const std::optional<policy::Verdict>& verdict,
                                            const Policy& policy) {
    const bool is_refused = verdict && verdict->action != policy::Action::accept;
    return is_refused ? std::optional{policy::code_for(*verdict, policy)} : std::nullopt;
}

nlohmann::ordered_json json_of(const StageStanding& standing) {
    auto parts = nlohmann::ordered_json::object();
    for (const auto& [part, match] : standing.parts) {
        parts[std::string{to_string(part)}] = match_word(match);
    }
    return {{"stage", standing.stage->name},
            {"mode", to_string(standing.stage->mode)},
            {"selector", std::move(parts)}};
}

} // namespace

bool operator==(const StageStanding& a, const StageStanding& b) {
    return a.stage == b.stage && std::ranges::equal(a.parts, b.parts, is_same);
}

std::vector<StageChoice> stage_choices(const Policy& policy,
                                       const Evidence& evidence,
                                       const std::vector<std::string>& recipients) {
    std::vector<StageChoice> choices;
    if (exemption_of(evidence, policy)) {
        return choices;
    }
    const Evidence at_rcpt = before_recipients(evidence);
    std::optional<std::string> first; // that was taken
    for (const auto& recipient : or_nobody(recipients)) {
        const bool is_taken = !is_refused_at_rcpt(policy, at_rcpt, recipient);
        first = is_taken && !first ? recipient : first;
        const policy::Choice choice = choose(policy, evidence, recipient);
        add(choices,
            {{recipient},
             standings_up_to(choice.stage, policy, evidence, recipient),
             !choice.doubt,
             is_taken && is_split_off(policy, at_rcpt, recipient, *first)});
    }
    return choices;
}

std::vector<StageAnswer> stage_answers(const Policy& policy,
                                       const Evidence& evidence,
                                       const std::vector<std::string>& recipients) {
    std::vector<StageAnswer> answers;
    for (const Stage& stage : policy.stages) {
        const Policy alone = only(stage, policy);
        StageAnswer answer{&stage, Match::no, decide(evidence, alone), std::nullopt};
        answer.reply = reply_code(answer.verdict, alone);
        for (const auto& recipient : or_nobody(recipients)) {
            answer.match = std::max(answer.match, match(stage.selector, evidence, recipient));
        }
        answers.push_back(std::move(answer));
    }
    return answers;
}

std::string stages_text(const std::vector<StageChoice>& choices, const Evidence& evidence) {
    std::string text;
    for (const auto& choice : choices) {
        const auto& recipient = choice.recipients.front();
        text += '\n' + heading_of(choice, choices.size() > 1);
        for (const StageStanding& standing : choice.looked_at) {
            if (&standing == &choice.looked_at.back()) {
                text += fmt::format("    {}: applies{}\n",
                                    policy::printable(standing.stage->name),
                                    choice.is_certain ? "" : ", unless one before it does");
            } else {
                text += text_of(standing, evidence, recipient);
            }
        }
    }
    return text;
}

std::string answers_text(const std::vector<StageAnswer>& answers, const Terminal& terminal) {
    TextTable table{{names("stage", 10),
                     words("selects"),
                     if_room(words("mode")),
                     words("verdict"),
                     words("reply"),
                     if_room(names("reason", 12))}};
    for (const auto& [stage, match, verdict, reply] : answers) {
        const bool has_reason = verdict && verdict->reason;
        table.add({policy::printable(stage->name),
                   std::string{match_word(match)},
                   std::string{to_string(stage->mode)},
                   verdict ? std::string{to_string(verdict->action)} : "unknown",
                   reply ? reply->to_string() : "-",
                   has_reason ? std::string{to_string(*verdict->reason)} : ""});
    }
    std::string text = "\nWhat each stage would answer\n";
    for (const auto& line : table.lines(terminal, table_margin)) {
        text += line + '\n';
    }
    return text;
}

nlohmann::ordered_json to_json(const std::vector<StageChoice>& choices) {
    auto array = nlohmann::ordered_json::array();
    for (const auto& choice : choices) {
        auto recipients = nlohmann::ordered_json::array();
        for (const auto& recipient : choice.recipients) {
            recipients.push_back(policy::printable(recipient));
        }
        auto looked_at = nlohmann::ordered_json::array();
        for (const auto& standing : choice.looked_at) {
            looked_at.push_back(json_of(standing));
        }
        array.push_back({{"recipients", std::move(recipients)},
                         {"stage", choice.looked_at.back().stage->name},
                         {"is_certain", choice.is_certain},
                         {"is_split_off", choice.is_split_off},
                         {"looked_at", std::move(looked_at)}});
    }
    return array;
}

nlohmann::ordered_json to_json(const std::vector<StageAnswer>& answers) {
    auto array = nlohmann::ordered_json::array();
    for (const auto& [stage, match, verdict, reply] : answers) {
        nlohmann::ordered_json json{{"stage", stage->name},
                                    {"mode", to_string(stage->mode)},
                                    {"selects", match_word(match)},
                                    {"verdict", nullptr},
                                    {"reply", nullptr}};
        if (verdict) {
            json["verdict"] = to_json(*verdict);
        }
        if (reply) {
            json["reply"] = {{"code", reply->code}, {"enhanced_status", reply->enhanced_status}};
        }
        array.push_back(std::move(json));
    }
    return array;
}

} // namespace milter
