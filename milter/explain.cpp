// `sixgate explain`: one case on the engine of the daemon, and all that it rests on.
#include "milter/commands.hpp"
#include "milter/evidence_json.hpp"
#include "milter/explain_case.hpp"
#include "milter/explain_text.hpp"
#include "milter/message_file.hpp"
#include "milter/recorded_mta.hpp"
#include "milter/session.hpp"
#include "milter/setup.hpp"
#include "policy/decide.hpp"
#include "policy/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sysexits.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

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

// What was answered at RCPT to a recipient that was refused.
struct Refusal {
    std::string recipient;
    policy::Reply reply;
};

// The recipients that were refused.
std::vector<Refusal> send_recipients(Session& session, const std::vector<std::string>& recipients) {
    std::vector<Refusal> refusals;
    for (const auto& recipient : recipients) {
        if (session.rcpt(recipient) != Answer::proceed) {
            refusals.push_back({recipient, session.outcome()->reply.value()});
        }
    }
    return refusals;
}

// The events in the order of an MTA, until one of them ends the message.
std::vector<Refusal>
send(Session& session, const ExplainOptions& options, const policy::Address& client) {
    const MessageFile message = parse_message(read_message(options.message));
    if (session.connect(client) == Answer::accept) {
        return {};
    }
    session.helo(options.helo);
    session.mail(options.mail_from);
    auto refusals = send_recipients(session, options.recipients);
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

void print_answers(const Outcome& outcome, const std::vector<Refusal>& refusals) {
    for (const auto& [recipient, reply] : refusals) {
        fmt::print("\nReply to RCPT <{}>\n{}", policy::printable(recipient), to_string(reply));
    }
    // Where the last recipient's refusal is the outcome, there was no end of message.
    if (!outcome.reply || refusals.empty() || refusals.back().reply != *outcome.reply) {
        fmt::print("{}", reply_text(outcome.reply));
    }
}

void print(const Session& session,
           const RecordedMta& mta,
           const Outcome& outcome,
           const std::vector<Refusal>& refusals) {
    fmt::print("DNS\n");
    for (const auto& [question, answer] : session.lookups()) {
        fmt::print("    {}\n", printed(question, *answer));
    }
    fmt::print("\nEvidence\n{}", evidence_text(session.evidence()));
    fmt::print("\nVerdict\n{}", verdict_text(outcome.verdict));
    print_answers(outcome, refusals);
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

void print_json(const Session& session,
                const RecordedMta& mta,
                const Outcome& outcome,
                const std::vector<Refusal>& refusals) {
    nlohmann::ordered_json json{{"evidence", to_json(session.evidence())},
                                {"verdict", to_json(outcome.verdict)},
                                {"reply", nullptr},
                                {"inserted", mta.inserted},
                                {"deleted", mta.deleted},
                                {"dns", answers_as_json(session)}};
    if (outcome.reply) {
        json["reply"] = to_json(*outcome.reply);
    }
    json["refused_recipients"] = nlohmann::ordered_json::object();
    for (const auto& [recipient, reply] : refusals) {
        json["refused_recipients"][policy::printable(recipient)] = to_json(reply);
    }
    fmt::print("{}\n", json.dump(2));
}

int explain_with(const ExplainOptions& options, Config config, const policy::Address& client) {
    ConfigStore configs{make_setup(std::move(config), nullptr)};
    Log log{Log::Target::nowhere};
    const Services services{configs, log, host_name()};
    RecordedMta mta;
    if (options.is_authenticated) {
        mta.macros["{auth_type}"] = "explain";
    }
    Session session{services, mta, Session::Answers{}};
    const auto refusals = send(session, options, client);
    // A client that is accepted at connect is not judged; then decide() says why.
    const Outcome outcome = session.outcome().value_or(
        Outcome{policy::decide(session.evidence(), configs.current()->config.policy).value(), {}});
    if (options.as_json) {
        print_json(session, mta, outcome, refusals);
    } else {
        print(session, mta, outcome, refusals);
    }
    return status_for(outcome.verdict.action);
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
    return is_kept ? explain_case(options, std::move(*config))
                   : explain_with(options, std::move(*config), *client);
}

} // namespace milter
