// `sixgate explain`: one case on the engine of the daemon, and all that it rests on.
#include "milter/commands.hpp"
#include "milter/evidence_json.hpp"
#include "milter/explain_case.hpp"
#include "milter/explain_stages.hpp"
#include "milter/explain_text.hpp"
#include "milter/message_file.hpp"
#include "milter/recorded_mta.hpp"
#include "milter/session.hpp"
#include "milter/setup.hpp"
#include "milter/since.hpp"
#include "milter/terminal.hpp"
#include "milter/timeline_text.hpp"
#include "milter/verify/domain.hpp"
#include "policy/decide.hpp"
#include "policy/mailbox.hpp"
#include "policy/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sysexits.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace milter {

namespace {

std::string read_message(const std::string& file) {
    if (file.empty()) {
        return {};
    }
    if (file == "-") {
        return {std::istreambuf_iterator<char>{std::cin}, {}};
    }
    std::ifstream stream{file, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream.is_open() || stream.bad()) {
        throw std::runtime_error{file + ": cannot be read"};
    }
    return text;
}

// What is sent.
struct Case {
    const ExplainOptions& options;
    policy::Address client;
    MessageFile message;
};

// What was answered at RCPT to a recipient that was refused.
struct Refusal {
    std::string recipient;
    policy::Reply reply;
};

// The recipients that were refused.
std::vector<Refusal> send_recipients(Session& session,
                                     const RecordedMta& mta,
                                     const std::vector<std::string>& recipients) {
    std::vector<Refusal> refusals;
    for (const auto& recipient : recipients) {
        if (session.rcpt(recipient) != Answer::proceed) {
            refusals.push_back({recipient, mta.reply.value()});
        }
    }
    return refusals;
}

// The events in the order of an MTA, until one of them ends the message.
std::vector<Refusal> send(Session& session, const RecordedMta& mta, const Case& sent) {
    const ExplainOptions& options = sent.options;
    const MessageFile& message = sent.message;
    if (session.connect(sent.client) == Answer::accept ||
        session.helo(options.helo) != Answer::proceed) {
        return {};
    }
    session.mail(options.mail_from);
    auto refusals = send_recipients(session, mta, options.recipients);
    if (!refusals.empty() && refusals.size() == options.recipients.size()) {
        return refusals;
    }
    for (const auto& [name, value] : message.fields) {
        session.header(name, value);
    }
    session.end_of_header();
    const auto* const octets = reinterpret_cast<const unsigned char*>(message.body.data());
    session.body({octets, message.body.size()});
    session.end_of_message();
    return refusals;
}

std::string printed(const verify::Question& question, const verify::Answer& answer) {
    std::string text =
        fmt::format("{:<4} {}", to_string(question.type), policy::printable(question.name));
    if (!answer) {
        return text + "\n         " + std::string{to_string(answer.error())};
    }
    for (const auto& address : answer->addresses) {
        text += "\n         " + address.to_string();
    }
    for (const auto& name : answer->names) {
        text += "\n         " + policy::printable(name);
    }
    for (const auto& record : answer->texts) {
        text += "\n         \"" + policy::printable(record, 500) + '"';
    }
    for (const auto& [preference, host] : answer->mail_exchanges) {
        text += fmt::format("\n         {} {}", preference, policy::printable(host));
    }
    return text;
}

// All that is told of the case.
struct Explained {
    policy::Evidence evidence;
    Outcome outcome;
    std::vector<Refusal> refusals;
    std::vector<StageChoice> stages;
    std::vector<StageAnswer> all_stages; // where they are asked for
};

void print_answers(const Outcome& outcome, const std::vector<Refusal>& refusals) {
    for (const auto& [recipient, reply] : refusals) {
        fmt::print("\nReply to RCPT <{}>\n{}", policy::printable(recipient), to_string(reply));
    }
    // Where the last recipient's refusal is the outcome, there was no end of message.
    if (!outcome.reply || refusals.empty() || refusals.back().reply != *outcome.reply) {
        fmt::print("{}", reply_text(outcome.reply));
    }
}

void print_stages(const Explained& explained) {
    fmt::print("{}", stages_text(explained.stages, explained.evidence));
    if (!explained.all_stages.empty()) {
        fmt::print("{}", answers_text(explained.all_stages, terminal_at(STDOUT_FILENO)));
    }
}

std::vector<TimelineRow> timeline_of(const Session& session) {
    return timeline_rows(session.timeline(), session.lookups());
}

void print(const Session& session, const RecordedMta& mta, const Explained& explained) {
    fmt::print("DNS\n");
    for (const auto& [question, answer] : session.lookups()) {
        fmt::print("    {}\n", printed(question, *answer));
    }
    fmt::print("\nTimeline (milliseconds)\n{}", timeline_text(timeline_of(session)));
    fmt::print("\nEvidence\n{}", evidence_text(explained.evidence));
    print_stages(explained);
    fmt::print("\nVerdict\n{}", verdict_text(explained.outcome.verdict));
    print_answers(explained.outcome, explained.refusals);
    fmt::print("{}", fields_text(mta.inserted));
    for (const auto& [name, index] : mta.deleted) {
        fmt::print("\nRemoved\n{} (number {})\n", name, index);
    }
}

nlohmann::ordered_json answers_as_json(const Session& session) {
    auto answers = nlohmann::ordered_json::array();
    for (const auto& [question, answer] : session.lookups()) {
        answers.push_back(printed(question, *answer));
    }
    return answers;
}

void print_json(const Session& session, const RecordedMta& mta, const Explained& explained) {
    nlohmann::ordered_json json{{"evidence", to_json(explained.evidence)},
                                {"stages", to_json(explained.stages)},
                                {"verdict", to_json(explained.outcome.verdict)},
                                {"reply", nullptr},
                                {"inserted", mta.inserted},
                                {"deleted", mta.deleted},
                                {"dns", answers_as_json(session)},
                                {"timeline", timeline_json(timeline_of(session))}};
    if (!explained.all_stages.empty()) {
        json["all_stages"] = to_json(explained.all_stages);
    }
    if (explained.outcome.reply) {
        json["reply"] = to_json(*explained.outcome.reply);
    }
    json["refused_recipients"] = nlohmann::ordered_json::object();
    for (const auto& [recipient, reply] : explained.refusals) {
        json["refused_recipients"][policy::printable(recipient)] = to_json(reply);
    }
    fmt::print("{}\n", json.dump(2));
}

std::map<std::string, std::string, std::less<>> macros_for(const ExplainOptions& options) {
    std::map<std::string, std::string, std::less<>> macros;
    const auto set = [&](const char* name, const std::string& value) {
        if (!value.empty()) {
            macros[name] = value;
        }
    };
    for (const auto& listener : options.listeners) {
        set("{daemon_name}", listener.name);
        set("{daemon_addr}", listener.address ? listener.address->to_string() : "");
        set("{daemon_port}", listener.port);
    }
    set("{auth_type}", options.is_authenticated ? "explain" : "");
    return macros;
}

// A session goes by the clock: so that it is as if it were `at`, the stages' dates move to it.
policy::Policy as_if_at(std::optional<policy::Time> at, policy::Policy policy) {
    const auto by = now() - at.value_or(now());
    for (auto& stage : policy.stages) {
        for (auto* const date : {&stage.selector.from, &stage.selector.until}) {
            if (at && *date) {
                **date += by;
            }
        }
    }
    return policy;
}

policy::Policy all_observed(policy::Policy policy) {
    for (auto& stage : policy.stages) {
        stage.mode = policy::Mode::observe;
    }
    return policy;
}

// Where nothing was checked, because of a stage that is closed or off: all that another would ask.
policy::Evidence checked_evidence(const Case& sent, const Setup& setup) {
    Config config = setup.config;
    config.policy = all_observed(std::move(config.policy));
    ConfigStore configs{make_setup(std::move(config), &setup)};
    Log log{Log::Target::nowhere};
    const Services services{configs, log, host_name()};
    RecordedMta mta;
    mta.macros = macros_for(sent.options);
    Session session{services, mta, Session::Answers{}};
    send(session, mta, sent);
    return session.evidence();
}

// As a session reads them.
std::vector<std::string> mailboxes_in(const std::vector<std::string>& arguments) {
    std::vector<std::string> mailboxes;
    mailboxes.reserve(arguments.size());
    for (const auto& argument : arguments) {
        mailboxes.push_back(verify::with_a_labels(policy::mailbox_in(argument)));
    }
    return mailboxes;
}

// By the policy as it is configured.
void add_stages(Explained& explained,
                const policy::Policy& policy,
                const Case& sent,
                const Setup& setup) {
    const auto recipients = mailboxes_in(sent.options.recipients);
    const auto with_time = [&](policy::Evidence evidence) {
        evidence.time = sent.options.at ? sent.options.at : evidence.time;
        return evidence;
    };
    explained.evidence = with_time(std::move(explained.evidence));
    explained.stages = stage_choices(policy, explained.evidence, recipients);
    if (sent.options.shows_all_stages && !explained.stages.empty()) {
        const bool is_checked = explained.evidence.dkim.has_value();
        auto evidence = is_checked ? explained.evidence : with_time(checked_evidence(sent, setup));
        evidence.recipients = recipients; // those, too, that a closed stage has refused
        explained.all_stages = stage_answers(policy, evidence, recipients);
    }
}

int explain_with(const Case& sent, Config config) {
    const policy::Policy policy = config.policy;
    config.policy = as_if_at(sent.options.at, std::move(config.policy));
    const auto setup = make_setup(std::move(config), nullptr);
    ConfigStore configs{setup};
    Log log{Log::Target::nowhere};
    const Services services{configs, log, host_name()};
    RecordedMta mta;
    mta.macros = macros_for(sent.options);
    Session session{services, mta, Session::Answers{}};
    Explained explained;
    explained.refusals = send(session, mta, sent);
    explained.evidence = session.evidence();
    // A client that is accepted at connect is not judged; then decide() says why.
    explained.outcome = session.outcome().value_or(
        Outcome{policy::decide(session.evidence(), setup->config.policy).value(), {}});
    add_stages(explained, policy, sent, *setup);
    if (sent.options.as_json) {
        print_json(session, mta, explained);
    } else {
        print(session, mta, explained);
    }
    return status_for(explained.outcome.verdict.action);
}

} // namespace

int explain(const ExplainOptions& options) {
    const bool is_kept = !options.case_id.empty();
    const auto client = policy::Address::parse(options.client);
    if (!client && !is_kept) {
        fmt::print(stderr, "sixgate: --client {}: not an IP address\n", options.client);
        return EX_USAGE;
    }
    auto config = load_or_tell(options.config_file);
    if (!config) {
        return EX_CONFIG;
    }
    for (auto& stage : config->policy.stages) {
        stage.mode = options.mode.value_or(stage.mode);
    }
    if (is_kept) {
        return explain_case(options, std::move(*config));
    }
    const Case sent{options, *client, parse_message(read_message(options.message))};
    return explain_with(sent, std::move(*config));
}

} // namespace milter
