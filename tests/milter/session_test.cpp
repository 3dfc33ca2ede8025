#include "tests/milter/session_scene.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using milter::Answer;
using milter::Session;
using policy::Address;
using policy::Mode;
using tests::bad_client;
using tests::good_client;
using tests::Scene;
using tests::silent;
using verify::LookupFailure;
using verify::RecordType;

namespace {

using Deleted = std::vector<std::pair<std::string, int>>;

} // namespace

TEST_CASE("a good message goes on with its results") {
    Scene scene{Mode::enforce};
    scene.connect(good_client);
    CHECK(scene.send() == Answer::proceed);
    CHECK(scene.results_field().starts_with("mx.example.net;\n\tiprev=pass"));
    CHECK(scene.results_field().find("spf=pass") != std::string::npos);
    CHECK(scene.results_field().find("dkim=none") != std::string::npos);
    CHECK_FALSE(scene.mta.reply);
}

TEST_CASE("a message that falls short is refused as its mode says, at its end") {
    struct Row {
        Mode mode;
        Answer answer;
        std::string code;
    };

    for (const auto& row : std::vector<Row>{{Mode::observe, Answer::proceed, ""},
                                            {Mode::tag, Answer::proceed, ""},
                                            {Mode::soft, Answer::tempfail, "450 4.7.25"},
                                            {Mode::enforce, Answer::reject, "550 5.7.25"}}) {
        Scene scene{row.mode};
        CHECK(scene.connect(bad_client) == Answer::proceed);
        CHECK(scene.send() == row.answer);
        CHECK((scene.mta.reply ? scene.mta.reply->code.to_string() : "") == row.code);
        CHECK(scene.mta.inserted.empty() == (row.answer != Answer::proceed));
    }
}

TEST_CASE("tag mode adds its own field and removes one from outside") {
    Scene scene{Mode::tag};
    scene.connect(bad_client);
    scene.send({{"Sixgate-Policy", " pass"}, {"sixgate-policy", " pass; stage=x"}});
    CHECK(scene.mta.deleted == Deleted{{"Sixgate-Policy", 2}, {"Sixgate-Policy", 1}});
    REQUIRE(scene.mta.inserted.size() == 2);
    CHECK(scene.mta.inserted.front().first == "Sixgate-Policy");
    CHECK(scene.mta.inserted.front().second.starts_with("fail; reason=reverse_name_missing"));
}

TEST_CASE("who is not judged is let go as early as can be") {
    for (const std::string client : {"::1", "127.0.0.1", "fe80::1"}) {
        Scene scene{Mode::closed};
        CHECK(scene.connect(client) == Answer::accept);
        CHECK(scene.resolver->asked.empty());
    }
    Scene local{Mode::closed};
    CHECK(local.session.connect(std::nullopt) == Answer::accept);

    Scene exempt{Mode::closed};
    exempt.config.policy.exempt_networks = {*policy::Prefix::parse("2001:db8:5::/48")};
    exempt.apply();
    Session session{exempt.services, exempt.mta, Session::Answers{}};
    CHECK(session.connect(Address::parse(good_client)) == Answer::accept);
}

TEST_CASE("IPv4 clients keep their mail, lose forged fields and cause no DNS") {
    const std::vector<std::pair<std::string, std::string>> forged{
        {"Authentication-Results", " mx.example.net; dkim=pass"},
        {"Authentication-Results", " other.example; dkim=pass"},
        {"authentication-results", " MX.example.net 1; spf=pass"},
        {"Authentication-Results", "\n (x) \"mx.example.net\"; spf=pass"},
        {"Authentication-Results \t", " mx.example.net; spf=pass"},
    };
    Scene scene{Mode::enforce};
    CHECK(scene.connect("192.0.2.1") == Answer::proceed);
    CHECK(scene.send(forged) == Answer::proceed);
    CHECK(scene.mta.deleted == Deleted{{"Authentication-Results", 5},
                                       {"Authentication-Results", 4},
                                       {"Authentication-Results", 3},
                                       {"Authentication-Results", 1}});
    CHECK(scene.mta.inserted.empty());
    CHECK(scene.resolver->asked.empty());
}

TEST_CASE("without an authserv_id nothing is removed, and IPv4 is let go at connect") {
    Scene scene{Mode::enforce};
    scene.config.milter.authserv_id.clear();
    scene.apply();
    Session session{scene.services, scene.mta, silent};
    CHECK(session.connect(Address::parse("192.0.2.1")) == Answer::accept);

    scene.connect(good_client);
    scene.send({{"Authentication-Results", " host.example.net; dkim=pass"}});
    CHECK(scene.mta.deleted.empty());
    CHECK(scene.results_field().starts_with("host.example.net;"));
}

TEST_CASE("authenticated mail is not judged, and its forged fields are removed") {
    Scene scene{Mode::closed, Session::Answers{}};
    scene.connect(bad_client);
    scene.mta.macros["{auth_authen}"] = "alice";
    CHECK(scene.send({{"Authentication-Results", " mx.example.net; spf=pass"}}) == Answer::proceed);
    CHECK(scene.mta.deleted.size() == 1);
    CHECK(scene.mta.inserted.empty());

    scene.mta.macros.clear(); // the next message of the connection is not authenticated
    CHECK(scene.send() == Answer::tempfail);
}

TEST_CASE("closed answers recipient by recipient, without DNS") {
    Scene scene{Mode::closed, Session::Answers{}};
    scene.connect(good_client);
    scene.session.helo("mail.example.org");
    scene.session.mail("<user@example.org>");
    CHECK(scene.session.rcpt("<someone@example.net>") == Answer::tempfail);
    CHECK(scene.mta.reply->code.to_string() == "451 4.7.1");
    CHECK(scene.resolver->asked.empty());
    CHECK(scene.session.rcpt("<postmaster@other.example>") == Answer::proceed);
    CHECK(scene.finish() == Answer::proceed);
    CHECK(scene.results_field().find("iprev=pass") != std::string::npos);
}

TEST_CASE("closed answers HELO where it is told to, by the configuration of the connection") {
    Scene scene{Mode::closed, Session::Answers{}};
    auto& stage = scene.config.policy.stages.front();
    stage.closed_at = policy::ClosedAt::helo;
    stage.help_url = "https://mail.example.net/ipv6-is-for-some-of-us";
    scene.apply();
    scene.connect(good_client);
    stage.help_url.clear();
    scene.apply(); // nobody else holds the one that answers
    CHECK(scene.session.helo("mail.example.org") == Answer::tempfail);
    REQUIRE(scene.session.outcome());
    REQUIRE(scene.session.outcome()->reply);
    CHECK(scene.session.outcome()->reply->code.to_string() == "421 4.7.1");
    REQUIRE(scene.mta.reply);
    CHECK(scene.mta.reply->lines == scene.session.outcome()->reply->lines);
    CHECK(
        scene.mta.reply->lines.back().ends_with("https://mail.example.net/ipv6-is-for-some-of-us"));
}

TEST_CASE("closed answers a recipient that comes without MAIL") {
    Scene scene{Mode::closed, Session::Answers{}};
    scene.connect(good_client);
    CHECK(scene.session.rcpt("<someone@example.net>") == Answer::tempfail);
    CHECK(scene.mta.reply->code.to_string() == "451 4.7.1");
    CHECK(scene.session.rcpt("<postmaster@example.net>") == Answer::proceed);
    CHECK(scene.finish() == Answer::proceed); // the recipient is not forgotten
    scene.session.rcpt("<postmaster@example.net>");
    CHECK(scene.session.evidence().recipients.size() == 1); // those of the last message are
}

TEST_CASE("a recipient that comes after content begins a message") {
    Scene scene{Mode::closed};
    scene.connect(good_client);
    scene.session.header("From", " a@example.org");
    scene.session.rcpt("<postmaster@example.net>");
    CHECK(scene.session.end_of_message() == Answer::proceed);
}

TEST_CASE("closed answers at the end where RCPT was agreed to be silent") {
    Scene scene{Mode::closed};
    scene.connect(good_client);
    CHECK(scene.send() == Answer::tempfail);
    CHECK(scene.mta.reply->code.to_string() == "451 4.7.1");
}

TEST_CASE("a message is judged by the configuration that stood at its MAIL") {
    Scene scene{Mode::observe};
    scene.connect(bad_client);
    scene.session.helo("mail.example.org");
    scene.session.mail("<user@example.org>");
    scene.session.rcpt("<someone@example.net>");
    scene.config.policy.stages.front().mode = Mode::enforce;
    scene.apply();
    CHECK(scene.finish() == Answer::proceed);
    CHECK(scene.send() == Answer::reject);
}

TEST_CASE("one message leaves nothing behind for the next") {
    Scene scene{Mode::enforce};
    scene.connect(good_client);
    scene.send({{"Authentication-Results", " mx.example.net; dkim=pass"}});
    scene.mta.deleted.clear();
    scene.session.mail("<stranger@example.com>"); // no abort in between, no SPF record
    scene.session.rcpt("<a@example.net>");
    CHECK(scene.finish() == Answer::reject);
    CHECK(scene.mta.deleted.empty());
    CHECK(scene.session.evidence().recipients == std::vector<std::string>{"a@example.net"});
    CHECK(scene.send() == Answer::proceed);
}

TEST_CASE("iprev is known for the connection, and a temperror is asked anew") {
    Scene scene{Mode::enforce};
    const std::string name = Address::parse(good_client)->reverse_name();
    scene.resolver->fail(name, RecordType::ptr, LookupFailure::server_failure);
    scene.connect(good_client);
    CHECK(scene.send() == Answer::tempfail);
    CHECK(scene.mta.reply->code.to_string() == "451 4.4.3");

    scene.resolver = std::make_shared<tests::FakeResolver>();
    scene.resolver->add_ptr(good_client, "mail.example.org");
    scene.resolver->add_address("mail.example.org", good_client);
    scene.resolver->add_txt("example.org", "v=spf1 ip6:2001:db8:5::/48 -all");
    scene.apply();
    CHECK(scene.send() == Answer::proceed);
    const auto count = [&] {
        return std::ranges::count(scene.resolver->asked, verify::Question{name, RecordType::ptr});
    };
    const auto before = count();
    CHECK(scene.send() == Answer::proceed);
    CHECK(count() == before);
}

TEST_CASE("an answer that never comes is a temperror at the deadline") {
    Scene scene{Mode::enforce};
    scene.resolver->stall("example.org", RecordType::txt);
    scene.connect(good_client);
    CHECK(scene.send() == Answer::tempfail);
    CHECK(scene.mta.reply->code.to_string() == "451 4.7.24");
}

TEST_CASE("a bounce is judged by its HELO name") {
    Scene scene{Mode::enforce};
    scene.connect(good_client);
    CHECK(scene.send({}, "<>") == Answer::proceed);
    CHECK(scene.results_field().find("smtp.mailfrom") == std::string::npos);
    CHECK(scene.results_field().find("smtp.helo=mail.example.org") != std::string::npos);
}

TEST_CASE("paths are read as MTAs pass them on") {
    struct Row {
        std::string argument;
        std::string mail_from;
    };

    for (const auto& row : std::vector<Row>{{"<user@example.org>", "user@example.org"},
                                            {"user@example.org", "user@example.org"},
                                            {"<@a.example,@b.example:u@c.example>", "u@c.example"},
                                            {"<>", ""},
                                            {"", ""},
                                            {"<user@[IPv6:::1]>", "user@[IPv6:::1]"}}) {
        Scene scene{Mode::observe};
        scene.connect(good_client);
        scene.session.mail(row.argument);
        CHECK(scene.session.evidence().mail_from == row.mail_from);
    }
}

TEST_CASE("a reverse-path that has no one reading is no domain's, and not the null path") {
    for (const std::string argument : {"<a@other.example(@example.org>",
                                       "<a@other.example>x@example.org",
                                       "<>x@example.org",
                                       "<>(@example.org",
                                       "<@example.org:>"}) {
        CAPTURE(argument);
        Scene scene{Mode::enforce};
        scene.connect(good_client);
        CHECK(scene.send({}, argument) == Answer::reject); // the HELO name leads back to the client
        CHECK(scene.mta.reply->code.to_string() == "550 5.7.26");
        const auto& evidence = scene.session.evidence();
        CHECK(evidence.mail_from == argument);
        CHECK(evidence.mail_from_domain.empty());
        CHECK(evidence.spf_mail_from->result == policy::SpfResult::none);
        CHECK(evidence.spf_mail_from->problem == "MAIL FROM can be read in more than one way");
    }
}

TEST_CASE("a recipient that has no one reading is not exempt") {
    Scene scene{Mode::enforce};
    scene.connect(bad_client);
    CHECK(scene.send({}, "<user@example.org>", "<postmaster@z>") == Answer::proceed);
    for (const std::string argument : {"postmaster@z<alice>", "<@x(:postmaster@z):alice>"}) {
        CHECK(scene.send({}, "<user@example.org>", argument) == Answer::reject);
    }
}

TEST_CASE("SPF is asked for ahead once for a domain, and for so many in a connection") {
    Scene scene{Mode::enforce};
    scene.connect(good_client);
    const auto asked_by = [&](const std::string& mail_from) {
        const auto before = scene.resolver->asked.size();
        scene.session.mail(mail_from);
        return scene.resolver->asked.size() - before;
    };
    CHECK(asked_by("<a@example.org>") == 1);
    CHECK(asked_by("<b@example.org>") == 0);
    CHECK(asked_by("<a@other.example>") == 1);
    for (int i = 0; i < 100; ++i) {
        asked_by("<a@d" + std::to_string(i) + ".example>");
    }
    CHECK(asked_by("<a@one-more.example>") == 0);
    CHECK(scene.send() == Answer::proceed); // the check asks for itself
}

TEST_CASE("events out of order do no harm") {
    Scene scene{Mode::enforce};
    scene.connect(good_client);
    scene.session.abort();
    scene.session.header("From", " a@example.org");
    scene.session.end_of_header();
    scene.session.body({});
    CHECK(scene.session.end_of_message() != Answer::accept);
    scene.session.rcpt("<a@example.net>");
    scene.session.helo("again.example.org");
    CHECK(scene.send() == Answer::proceed);
}

TEST_CASE("after a failure of our own the mode says what to answer") {
    for (const Mode mode : {Mode::observe, Mode::enforce}) {
        Scene scene{mode};
        scene.connect(good_client);
        scene.session.mail("<user@example.org>");
        scene.session.rcpt("<someone@example.net>");
        scene.session.header("Authentication-Results", " mx.example.net; spf=pass");
        scene.session.fail();
        const bool refuses = mode == Mode::enforce;
        CHECK(scene.finish() == (refuses ? Answer::tempfail : Answer::proceed));
        CHECK(scene.mta.reply.has_value() == refuses);
        CHECK(scene.mta.deleted.empty() == refuses);
        CHECK(scene.mta.inserted.empty());
        CHECK(scene.send() == Answer::proceed); // the next message is judged again
    }
}

TEST_CASE("a MAIL that failed is not forgotten, and its message is no bounce") {
    for (const auto answers : {Session::Answers{}, silent}) {
        Scene scene{Mode::enforce, answers};
        scene.connect(good_client);
        scene.send({}, "<>"); // which passes, by its HELO name
        scene.session.mail("<a@other.example>");
        scene.session.abort();
        scene.session.fail(); // as MAIL, before anything was kept of it
        CHECK(scene.session.rcpt("<someone@example.net>") == Answer::proceed);
        CHECK(scene.finish() == Answer::tempfail);
        CHECK(scene.mta.reply->code.to_string() == "451 4.3.0");
        CHECK(scene.session.rcpt("<someone@example.net>") == Answer::proceed);
        CHECK(scene.finish() == Answer::tempfail);
        CHECK(scene.send() == Answer::proceed);
    }
}

TEST_CASE("a closed reply names the domain of the recipient it refuses") {
    Scene scene{Mode::closed, Session::Answers{}};
    scene.config.policy.stages.front().replies = policy::replies_of(policy::Profile::eop);
    scene.apply();
    scene.connect(good_client);
    scene.session.mail("<user@example.org>");
    CHECK(scene.session.rcpt("<postmaster@other.example>") == Answer::proceed);
    CHECK(scene.session.rcpt("<someone@example.net>") == Answer::reject);
    CHECK(scene.mta.reply->lines.front().find("] example.net takes no mail") != std::string::npos);
}

TEST_CASE("fields that come after a failure of our own are removed, too") {
    Scene scene{Mode::observe};
    scene.connect(good_client);
    scene.session.mail("<user@example.org>");
    scene.session.rcpt("<someone@example.net>");
    scene.session.fail();
    scene.session.header("Authentication-Results", " mx.example.net; spf=pass");
    CHECK(scene.finish() == Answer::proceed);
    CHECK(scene.mta.deleted.size() == 1);
}
