#include "milter/store/entry_details.hpp"
#include "milter/subject.hpp"
#include "tests/store/entry_makers.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

const store::LocalParts local_parts{std::string(32, 'k')};

// As it comes out of the store.
policy::JournalEntry stored(const policy::JournalEntry& entry) {
    policy::JournalEntry columns;
    columns.time = entry.time;
    columns.case_id = entry.case_id;
    columns.evidence.client = entry.evidence.client;
    columns.evidence.mail_from_domain = entry.evidence.mail_from_domain;
    return store::with_details(columns, store::details_of(entry));
}

bool names(const std::string& subject, const policy::JournalEntry& entry) {
    return milter::names(milter::read_subject(subject).value(), local_parts)(entry);
}

// From user@example.org, whose host is mail.example.org, to someone@example.net.
policy::JournalEntry with(void (*change)(policy::Evidence& evidence)) {
    policy::JournalEntry entry = tests::entry("c1");
    change(entry.evidence);
    return entry;
}

} // namespace

TEST_CASE("subject: what it can be, and what it cannot") {
    using milter::read_subject;
    CHECK(std::holds_alternative<policy::Prefix>(read_subject("2001:db8::5").value()));
    CHECK(std::holds_alternative<policy::Prefix>(read_subject("2001:db8::/32").value()));
    CHECK(std::holds_alternative<policy::Prefix>(read_subject("192.0.2.1").value()));
    CHECK(std::get<milter::DomainName>(read_subject("Example.ORG.").value()).name == "example.org");
    CHECK(std::get<milter::DomainName>(read_subject("b\u00fccher.example").value()).name ==
          "xn--bcher-kva.example");
    const auto address = std::get<milter::MailAddress>(read_subject("User@Example.ORG").value());
    CHECK(address.local_part == "user");
    CHECK(address.domain == "example.org");
    for (const auto* const text : {"",
                                   ".",
                                   "org",
                                   ".example.org",
                                   "example..org",
                                   "exa mple.org",
                                   "*.example.org",
                                   "@example.org",
                                   "user@",
                                   "user@localhost",
                                   "2001:db8::5/32",
                                   "2001:db8::/129",
                                   "https://example.org/"}) {
        CAPTURE(text);
        CHECK_FALSE(read_subject(text).has_value());
    }
}

TEST_CASE("subject: a domain is named wherever it or a name below it stands") {
    const policy::JournalEntry entry = tests::entry("c1");
    CHECK(names("example.org", entry));
    CHECK(names("mail.example.org", entry));
    CHECK(names("example.net", entry));
    CHECK_FALSE(names("ple.org", entry));
    CHECK_FALSE(names("example.or", entry));
    CHECK_FALSE(names("user.example.org", entry));
    CHECK_FALSE(names("mx.example.net", entry)); // this host, not the message

    CHECK(names("w.test", with([](auto& evidence) { evidence.helo = "W.Test"; })));
    CHECK(names("w.test", with([](auto& evidence) { evidence.recipients = {"a@b.w.test"}; })));
    CHECK(names("xn--bcher-kva.example",
                with([](auto& evidence) { evidence.recipients = {"a@b\u00fccher.example"}; })));
    CHECK(names("w.test",
                with([](auto& evidence) { evidence.iprev->names.front().name = "a.w.test."; })));
    CHECK(names("w.test", with([](auto& evidence) {
                    evidence.spf_mail_from->mechanism = "include:_spf.w.test";
                })));
    CHECK(names("w.test", with([](auto& evidence) {
                    evidence.spf_helo->explanation = "See http://www.w.test/why?a@b";
                })));
    CHECK(names("w.test", with([](auto& evidence) { evidence.dkim->front().sdid = "w.test"; })));
    CHECK_FALSE(names("w.test", with([](auto& evidence) { evidence.helo = "w.test.example"; })));
    CHECK_FALSE(names("w.test", with([](auto& evidence) { evidence.helo = "x-w.test"; })));
    CHECK(names("w.test",
                with([](auto& evidence) { evidence.helo = "w.test.example, w.test: no"; })));
}

TEST_CASE("subject: an address is found hashed and in full") {
    for (const auto& entry : {tests::entry("c1"), local_parts.hidden(tests::entry("c1"))}) {
        CHECK(names("user@example.org", entry));
        CHECK(names("USER@Example.Org", entry));
        CHECK(names("someone@example.net", entry));
        CHECK_FALSE(names("someone@example.org", entry));
        CHECK_FALSE(names("user+tag@example.org", entry));
        CHECK_FALSE(names("user@mail.example.org", entry));
    }
    const auto entry = with([](auto& evidence) { evidence.dkim->front().auid = "i@w.test"; });
    CHECK(names("i@w.test", local_parts.hidden(entry)));
}

TEST_CASE("subject: an internationalised name is found as it was stored") {
    const auto entry = with([](auto& evidence) {
        evidence.mail_from = "joerg@b\u00fccher.example";
        evidence.mail_from_domain = "xn--bcher-kva.example";
        evidence.recipients = {"empf\u00e4nger@m\u00fchle.example"};
        evidence.helo = "b\u00e4r.example";
        evidence.dkim->front().sdid = "d\u00f6rfer.example";
        evidence.dkim->front().auid = "i@h\u00f6fe.example";
    });
    for (const auto& one : {stored(entry), stored(local_parts.hidden(entry))}) {
        for (const auto* const subject : {"joerg@b\u00fccher.example",
                                          "joerg@xn--bcher-kva.example",
                                          "b\u00fccher.example",
                                          "empf\u00e4nger@m\u00fchle.example",
                                          "m\u00fchle.example",
                                          "b\u00e4r.example",
                                          "d\u00f6rfer.example",
                                          "i@h\u00f6fe.example",
                                          "h\u00f6fe.example"}) {
            CAPTURE(subject);
            CHECK(names(subject, one));
        }
        CHECK_FALSE(names("joerg@m\u00fchle.example", one));
    }
}

TEST_CASE("subject: an address or a network is that of the client") {
    const policy::JournalEntry entry = tests::entry("c1"); // from 2001:db8:5::5
    CHECK(names("2001:db8:5::5", entry));
    CHECK(names("2001:db8:5::/64", entry));
    CHECK_FALSE(names("2001:db8:5::6", entry));
    CHECK_FALSE(names("2001:db8:5::5", with([](auto& evidence) { evidence.client.reset(); })));
}
