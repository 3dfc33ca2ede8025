// A whole connection: any events in any order, with a policy and a zone from the fuzzer.
//
//     config LINE           of the configuration, as TOML
//     rcpt-is-silent        the MTA waits for no answer at RCPT
//     txt, a, mx, ptr, fail as in spf_fuzz.cpp
//     macro NAME VALUE      of the MTA
//     connect ADDRESS       or any other word for no address
//     helo NAME, mail PATH, rcpt PATH, header NAME:VALUE, eoh, body OCTETS, eom, abort, fault
#include "milter/recorded_mta.hpp"
#include "milter/session.hpp"
#include "milter/verify/domain.hpp"
#include "policy/authentication_results.hpp"
#include "policy/journal.hpp"
#include "tests/fuzz/output.hpp"

#include <functional>
#include <type_traits>

namespace {

using fuzz::require;
using milter::Answer;
using milter::Session;

const std::string host_name = "host.example.net";

struct Scene {
    std::shared_ptr<tests::FakeResolver> dns = std::make_shared<tests::FakeResolver>();
    std::string toml;
    Session::Answers answers;
    milter::RecordedMta mta;
    std::vector<fuzz::Item> items; // after connect
    std::optional<policy::Address> client = policy::Address::parse("2001:db8::1");
};

void read(Scene& scene, std::string_view input) {
    for (auto& item : fuzz::items_of(input)) {
        if (item.word == "config") {
            scene.toml += item.text + '\n';
        } else if (item.word == "helo-is-silent") {
            scene.answers.at_helo = false;
        } else if (item.word == "rcpt-is-silent") {
            scene.answers.at_rcpt = false;
        } else if (item.word == "connect") {
            scene.client = policy::Address::parse(item.text);
        } else if (!fuzz::add_to_zone(*scene.dns, item)) {
            scene.items.push_back(std::move(item));
        }
    }
}

// --- Events -----------------------------------------------------------------------------------

struct Event {
    std::string_view word;
    Answer (*run)(Session& session, std::string_view value);
};

Answer header(Session& session, std::string_view value) {
    const auto name = fuzz::take_until(':', value);
    session.header(name, value);
    return Answer::proceed;
}

Answer body(Session& session, std::string_view value) {
    session.body({reinterpret_cast<const unsigned char*>(value.data()), value.size()});
    return Answer::proceed;
}

template <auto event>
Answer silent(Session& session, std::string_view value) {
    if constexpr (std::is_invocable_v<decltype(event), Session&>) {
        std::invoke(event, session);
    } else {
        std::invoke(event, session, value);
    }
    return Answer::proceed;
}

constexpr auto events = std::to_array<Event>({
    {"helo", silent<&Session::helo>},
    {"mail", silent<&Session::mail>},
    {"rcpt", [](Session& session, std::string_view value) { return session.rcpt(value); }},
    {"header", header},
    {"eoh", silent<&Session::end_of_header>},
    {"body", body},
    {"eom", [](Session& session, std::string_view) { return session.end_of_message(); }},
    {"abort", silent<&Session::abort>},
    {"fault", silent<&Session::fail>},
});

// --- Rules ------------------------------------------------------------------------------------

void require_sound(Answer answer, const milter::RecordedMta& mta, const milter::Config& config) {
    const bool goes_on = answer == Answer::proceed;
    require(goes_on || config.policy.stages.front().mode > policy::Mode::tag,
            "off, observe and tag refuse nothing");
    require(mta.reply.has_value() == !goes_on, "who is refused is told why");
    require(goes_on || mta.inserted.empty(), "what is refused is not changed");
    if (mta.reply) {
        fuzz::require_sound_reply(*mta.reply);
        require(mta.reply->code.is_permanent() == (answer == Answer::reject), "the class");
    }
    const auto& id = config.milter.authserv_id;
    for (const auto& [name, value] : mta.inserted) {
        fuzz::require_sound_field(value);
        require(name != "Authentication-Results" ||
                    policy::claims_authserv_id(value, id.empty() ? host_name : id),
                "our field is ours");
    }
    for (const auto& [name, index] : mta.deleted) {
        require(index > 0, "fields are counted from 1");
    }
}

bool begins_anew(std::string_view word) {
    return word == "mail" || word == "helo" || word == "abort";
}

// Whom the mail is from stands behind the only @ that no quotes hide, in an argument that nobody
// has to repair; else it is from no domain.
void require_one_reading(const policy::Evidence& evidence, std::string_view argument) {
    if (evidence.mail_from_domain.empty()) {
        return;
    }
    std::string_view mailbox{evidence.mail_from};
    require(argument.find(mailbox) != std::string_view::npos, "the mailbox is in the argument");
    if (mailbox.starts_with('"')) {
        mailbox.remove_prefix(mailbox.rfind('"') + 1);
    }
    require(mailbox.find_first_of("<>(),;\\\" \t") == std::string_view::npos, "it is plain");
    require(std::ranges::count(mailbox, '@') == 1, "it has one domain");
    const auto domain = mailbox.substr(mailbox.find('@') + 1);
    require(verify::to_a_labels(domain) == evidence.mail_from_domain, "which is the one judged");
    const auto behind =
        argument.substr(argument.rfind(evidence.mail_from) + evidence.mail_from.size());
    require(behind.find_first_not_of("> \t") == std::string_view::npos, "nothing follows it");
}

void run(Scene& scene, Session& session, const milter::Config& config) {
    if (session.connect(scene.client) == Answer::accept) {
        return;
    }
    bool has_failed = false;
    for (const auto& item : scene.items) {
        std::string_view value{item.text};
        if (item.word == "macro") {
            const auto name = fuzz::take_until(' ', value);
            scene.mta.macros[std::string{name}] = value;
        }
        const auto* const event = std::ranges::find(events, item.word, &Event::word);
        if (event == events.end()) {
            continue;
        }
        const auto answer = event->run(session, value);
        require_sound(answer, scene.mta, config);
        has_failed = item.word == "fault" || (has_failed && !begins_anew(item.word));
        require(!has_failed || item.word != "eom" || answer == session.answer_in_trouble(),
                "after a fault the mode answers, until something begins anew");
        if (item.word == "mail") {
            require_one_reading(session.evidence(), value);
        }
        if (const auto& outcome = session.outcome()) {
            fuzz::require_printable(
                policy::log_line({{}, "", "", "", session.evidence(), outcome->verdict, {}}),
                "the log is printable");
        }
        scene.mta.reply.reset();
        scene.mta.inserted.clear();
        scene.mta.deleted.clear();
    }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
    Scene scene;
    read(scene, fuzz::text_of(octets, size));
    auto config = milter::parse_config(scene.toml, "fuzz.toml");
    if (!config) {
        return -1; // not kept: config_fuzz.cpp looks after these
    }
    const auto setup =
        std::make_shared<const milter::Setup>(milter::Setup{*std::move(config), scene.dns});
    milter::ConfigStore configs{setup};
    milter::Log log{milter::Log::Target::nowhere};
    const milter::Services services{configs, log, host_name};
    Session session{services, scene.mta, scene.answers};
    run(scene, session, setup->config);
    return 0;
}
