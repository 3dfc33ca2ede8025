// A session, the DNS around it and the MTA in front of it.
#pragma once

#include "milter/recorded_mta.hpp"
#include "milter/session.hpp"
#include "tests/verify/fake_resolver.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tests {

inline const std::string good_client = "2001:db8:5::5";
inline constexpr milter::Session::Answers silent{false, false};
inline const std::string bad_client = "2001:db8:bad::1"; // no PTR

class Scene {
public:
    explicit Scene(policy::Mode mode, milter::Session::Answers answers = silent)
        : session{services, mta, answers} {
        config.policy.stages.front().mode = mode;
        config.milter.authserv_id = "mx.example.net";
        config.deadline = std::chrono::milliseconds{50};
        apply();
        resolver->add_ptr(good_client, "mail.example.org");
        resolver->add_address("mail.example.org", good_client);
        resolver->add_txt("example.org", "v=spf1 ip6:2001:db8:5::/48 -all");
    }

    // What a reload does.
    void apply() {
        configs.replace(std::make_shared<const milter::Setup>(milter::Setup{config, resolver}));
    }

    milter::Answer connect(const std::string& client) {
        return session.connect(policy::Address::parse(client));
    }

    // A whole message after connect. `fields` come before the ordinary ones.
    milter::Answer send(const std::vector<std::pair<std::string, std::string>>& fields = {},
                        const std::string& mail_from = "<user@example.org>",
                        const std::string& recipient = "<someone@example.net>") {
        session.helo("mail.example.org");
        session.mail(mail_from);
        if (const milter::Answer answer = session.rcpt(recipient);
            answer != milter::Answer::proceed) {
            return answer;
        }
        for (const auto& [name, value] : fields) {
            session.header(name, value);
        }
        return finish();
    }

    milter::Answer finish() {
        session.header("From", " user@example.org");
        session.header("Subject", " test");
        session.end_of_header();
        const std::string body = "Hello\r\n";
        session.body({reinterpret_cast<const unsigned char*>(body.data()), body.size()});
        return session.end_of_message();
    }

    std::string results_field() const {
        for (const auto& [name, value] : mta.inserted) {
            if (name == "Authentication-Results") {
                return value;
            }
        }
        return "";
    }

    std::shared_ptr<FakeResolver> resolver = std::make_shared<FakeResolver>();
    milter::Config config;
    milter::ConfigStore configs{
        std::make_shared<const milter::Setup>(milter::Setup{config, resolver})};
    milter::Log log{milter::Log::Target::nowhere};
    milter::ProbeLimit probe_limit;
    milter::Services services{configs, log, "host.example.net", nullptr, &probe_limit};
    milter::RecordedMta mta;
    milter::Session session;
};

} // namespace tests
