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
#include "policy/authentication_results.hpp"
#include "policy/journal.hpp"
#include "tests/fuzz/output.hpp"

namespace {

using fuzz::require;
using milter::Answer;
using milter::Session;

struct Scene {
    std::shared_ptr<tests::FakeResolver> dns = std::make_shared<tests::FakeResolver>();
    std::string toml;
    Session::AtRcpt at_rcpt = Session::AtRcpt::answers;
    milter::RecordedMta mta;
    std::vector<fuzz::Item> events; // after connect
    std::optional<policy::Address> client = policy::Address::parse("2001:db8::1");
};

void read(Scene& scene, std::string_view input) {
    for (auto& item : fuzz::items_of(input)) {
        if (item.word == "config") {
            scene.toml += item.text + '\n';
        } else if (item.word == "rcpt-is-silent") {
            scene.at_rcpt = Session::AtRcpt::is_silent;
        } else if (item.word == "connect") {
            scene.client = policy::Address::parse(item.text);
        } else if (!fuzz::add_to_zone(*scene.dns, item)) {
            scene.events.push_back(std::move(item));
        }
    }
}

// One connection, each answer held to what it promises.
class Connection {
public:
    Connection(Scene& scene, const milter::Services& services, policy::Mode mode)
        : scene_{scene}, mode_{mode}, session_{services, scene.mta, scene.at_rcpt},
          authserv_id_{services.configs.current()->config.milter.authserv_id} {
        authserv_id_ = authserv_id_.empty() ? services.host_name : authserv_id_;
    }

    void run() {
        if (session_.connect(scene_.client) == Answer::accept) {
            return;
        }
        for (const auto& event : scene_.events) {
            handle(event);
        }
    }

private:
    void handle(const fuzz::Item& event) {
        std::string_view value{event.text};
        if (event.word == "macro") {
            const auto name = fuzz::take_until(' ', value);
            scene_.mta.macros[std::string{name}] = value;
        } else if (event.word == "header") {
            const auto name = fuzz::take_until(':', value);
            session_.header(name, value);
        } else if (event.word == "body") {
            session_.body({reinterpret_cast<const unsigned char*>(value.data()), value.size()});
        } else if (event.word == "rcpt") {
            hold(session_.rcpt(value));
        } else if (event.word == "eom") {
            hold(session_.end_of_message());
        } else {
            handle_plain(event);
        }
    }

    void handle_plain(const fuzz::Item& event) {
        if (event.word == "helo") {
            session_.helo(event.text);
        } else if (event.word == "mail") {
            session_.mail(event.text);
        } else if (event.word == "eoh") {
            session_.end_of_header();
        } else if (event.word == "abort") {
            session_.abort();
        } else if (event.word == "fault") {
            session_.fail();
        }
    }

    void hold(Answer answer) {
        auto& mta = scene_.mta;
        const bool goes_on = answer == Answer::proceed;
        require(goes_on || mode_ > policy::Mode::tag, "off, observe and tag refuse nothing");
        require(mta.reply.has_value() == !goes_on, "who is refused is told why");
        require(goes_on || mta.inserted.empty(), "what is refused is not changed");
        if (mta.reply) {
            fuzz::require_sound_reply(*mta.reply);
            require(mta.reply->code.is_permanent() == (answer == Answer::reject), "the class");
        }
        for (const auto& [name, value] : mta.inserted) {
            fuzz::require_sound_field(value);
            require(name != "Authentication-Results" ||
                        policy::claims_authserv_id(value, authserv_id_),
                    "our field is ours");
        }
        for (const auto& [name, index] : mta.deleted) {
            require(index > 0, "fields are counted from 1");
        }
        if (const auto& outcome = session_.outcome()) {
            fuzz::require_printable(
                policy::log_line({"", "", session_.evidence(), outcome->verdict, outcome->reply}),
                "the log is printable");
        }
        mta.reply.reset();
        mta.inserted.clear();
        mta.deleted.clear();
    }

    Scene& scene_;
    policy::Mode mode_;
    Session session_;
    std::string authserv_id_;
};

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
    Scene scene;
    read(scene, fuzz::text_of(octets, size));
    auto config = milter::parse_config(scene.toml, "fuzz.toml");
    if (!config) {
        return -1; // not kept: config_fuzz.cpp looks after these
    }
    const auto mode = config->policy.stages.front().mode;
    milter::ConfigStore configs{
        std::make_shared<const milter::Setup>(milter::Setup{*std::move(config), scene.dns})};
    milter::Log log{milter::Log::Target::nowhere};
    const milter::Services services{configs, log, "host.example.net"};
    Connection{scene, services, mode}.run();
    return 0;
}
