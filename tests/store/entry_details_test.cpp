#include "milter/store/entry_details.hpp"
#include "milter/store/store.hpp"
#include "tests/store/entry_makers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

namespace {

using Octets = std::vector<std::uint8_t>;

// What has a column, as the store fills it in.
JournalEntry columns_of(const JournalEntry& entry) {
    JournalEntry columns;
    columns.time = entry.time;
    columns.case_id = entry.case_id;
    columns.evidence.client = entry.evidence.client;
    columns.evidence.mail_from_domain = entry.evidence.mail_from_domain;
    return columns;
}

JournalEntry read_back(const JournalEntry& entry) {
    return store::with_details(columns_of(entry), store::details_of(entry));
}

std::string trouble_with(const Octets& octets) {
    JournalEntry entry;
    entry.case_id = "c1";
    try {
        store::with_details(entry, octets);
    } catch (const store::StoreError& error) {
        return error.what();
    }
    return "";
}

Octets octets_of(std::string_view hex) {
    Octets octets;
    for (; hex.size() >= 2; hex.remove_prefix(2)) {
        octets.push_back(
            static_cast<std::uint8_t>(std::stoi(std::string{hex.substr(0, 2)}, {}, 16)));
    }
    return octets;
}

template <typename Enum>
Enum any_of(std::mt19937& random, Enum last) {
    return static_cast<Enum>(random() % (static_cast<unsigned>(last) + 1));
}

std::string any_text(std::mt19937& random) {
    std::string text(random() % 40, '\0');
    std::ranges::generate(text, [&] { return "abcXYZ019.-@%<>~ =\"'"[random() % 20]; });
    return text;
}

SpfEvidence any_spf(std::mt19937& random) {
    return {any_of(random, SpfResult::permerror),
            any_text(random),
            any_text(random),
            any_text(random),
            any_text(random),
            random() % 2 == 0,
            random() % 2 == 0};
}

// What chooses stages, and what is asked of domains.
JournalEntry random_entry(std::mt19937& random) {
    const auto is_known = [&] { return random() % 3 != 0; };
    JournalEntry entry = tests::entry("c1");
    Evidence& evidence = entry.evidence;
    evidence.phase = any_of(random, Phase::end_of_message);
    evidence.time = entry.time - std::chrono::milliseconds{static_cast<std::int32_t>(random())};
    evidence.listener = {any_text(random), any_text(random), any_text(random)};
    if (is_known()) {
        evidence.percentile = std::uniform_real_distribution<double>{0, 100}(random);
    }
    if (is_known()) {
        evidence.from_domain = any_text(random);
    }
    for (auto left = random() % 4; left > 0; --left) {
        const std::string domain = any_text(random);
        evidence.organizations.push_back({domain, is_known() ? any_text(random) : domain});
    }
    if (is_known()) {
        evidence.sender_domain = {any_of(random, SenderDomainResult::temperror), is_known()};
    }
    if (is_known()) {
        evidence.spf_mail_from = any_spf(random);
    }
    if (is_known()) {
        evidence.grace = policy::GraceEvidence{
            tests::noon, random(), tests::noon - std::chrono::milliseconds{random()}};
    }
    evidence.spf_helo = any_spf(random);
    evidence.recipients.assign(random() % 4, any_text(random));
    return entry;
}

} // namespace

TEST_CASE("an entry is read as it was written") {
    struct Case {
        const char* name;
        std::function<void(JournalEntry&)> change;
    };

    const std::vector<Case> cases{
        {"ordinary", [](JournalEntry&) {}},
        {"nothing known",
         [](JournalEntry& entry) {
             entry = {};
             entry.evidence.time = entry.time;
         }},
        {"no answer to any check, and each was made",
         [](JournalEntry& entry) {
             entry.evidence.iprev = IprevEvidence{};
             entry.evidence.spf_mail_from = SpfEvidence{};
             entry.evidence.spf_helo = SpfEvidence{};
             entry.evidence.dkim = std::vector<DkimSignature>{};
             entry.evidence.sender_domain = SenderDomainEvidence{};
         }},
        {"no listener", [](JournalEntry& entry) { entry.evidence.listener = {}; }},
        {"a listener with a port alone",
         [](JournalEntry& entry) {
             entry.evidence.listener = {"", "", "26"};
         }},
        {"the null path", [](JournalEntry& entry) { entry.evidence.mail_from = ""; }},
        {"nobody to go to", [](JournalEntry& entry) { entry.evidence.recipients.clear(); }},
        {"many recipients",
         [](JournalEntry& entry) { entry.evidence.recipients.assign(1000, "a@example.net"); }},
        {"every flag",
         [](JournalEntry& entry) {
             entry.evidence.is_authenticated = true;
             entry.evidence.is_from_list = true;
             entry.evidence.is_forwarded = true;
             entry.evidence.spf_mail_from->is_wide = true;
             entry.evidence.spf_mail_from->lists_only_ipv4 = true;
             entry.evidence.sender_domain = {SenderDomainResult::reachable, true};
             entry.evidence.dkim->front().is_testing = true;
         }},
        {"every text",
         [](JournalEntry& entry) {
             entry.evidence.spf_mail_from = {
                 SpfResult::fail, "d.example", "-all", "a problem", "an explanation", false, false};
             entry.evidence.from_domain = "author.example";
             entry.evidence.dkim = {{DkimResult::policy,
                                     "d.example",
                                     "u@d.example",
                                     "s",
                                     "rsa-sha256",
                                     "0123456789abcdef",
                                     "a short key",
                                     512,
                                     true}};
         }},
        {"names with several addresses, and with none",
         [](JournalEntry& entry) {
             entry.evidence.iprev->names = {
                 {"a.example", NameOutcome::elsewhere, {tests::client, Address{}}},
                 {"b.example", NameOutcome::no_address, {}},
                 {"", NameOutcome::not_looked_up, {}}};
         }},
        {"it took three minutes", [](JournalEntry& entry) { *entry.evidence.time -= 180s; }},
        {"the clock was set back meanwhile",
         [](JournalEntry& entry) { *entry.evidence.time += 1ms; }},
        {"the first of a hundred", [](JournalEntry& entry) { entry.evidence.percentile = 0; }},
        {"the last of a hundred",
         [](JournalEntry& entry) { entry.evidence.percentile = std::nextafter(100.0, 0.0); }},
        {"domains of organizations, of themselves, and of nobody",
         [](JournalEntry& entry) {
             entry.evidence.organizations = {{"a.b.example", "b.example"},
                                             {"b.example", "b.example"},
                                             {"example", ""},
                                             {"", ""}};
         }},
        {"refused",
         [](JournalEntry& entry) {
             entry.reply = ReplyCode{550, "5.7.25"};
         }},
        {"nothing falls short",
         [](JournalEntry& entry) { entry.verdict = {.stage = "all", .mode = Mode::enforce}; }},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            JournalEntry entry = tests::entry("c1");
            c.change(entry);
            CHECK(read_back(entry) == entry);
        }
    }
}

TEST_CASE("every value is read as it was written") {
    JournalEntry entry = tests::entry("c1");
    const auto check = [&entry](auto& place, const auto& values) {
        for (const auto value : values) {
            place = value;
            CHECK(read_back(entry) == entry);
        }
    };
    check(entry.verdict.reason, all_reasons);
    check(entry.verdict.mode,
          std::to_array(
              {Mode::off, Mode::observe, Mode::tag, Mode::soft, Mode::enforce, Mode::closed}));
    const auto actions = std::to_array({Action::accept, Action::tempfail, Action::reject});
    check(entry.verdict.action, actions);
    check(entry.verdict.would_soft, actions);
    check(entry.verdict.would_enforce, actions);
    check(entry.verdict.exemption,
          std::to_array({Exemption::ipv4,
                         Exemption::local,
                         Exemption::network,
                         Exemption::authenticated,
                         Exemption::recipients}));
    check(entry.evidence.iprev->result,
          std::to_array({IprevResult::pass,
                         IprevResult::fail,
                         IprevResult::temperror,
                         IprevResult::permerror}));
    check(entry.evidence.iprev->names.front().outcome,
          std::to_array({NameOutcome::leads_back,
                         NameOutcome::elsewhere,
                         NameOutcome::no_address,
                         NameOutcome::not_looked_up}));
    check(entry.evidence.spf_mail_from->result,
          std::to_array({SpfResult::none,
                         SpfResult::neutral,
                         SpfResult::pass,
                         SpfResult::fail,
                         SpfResult::softfail,
                         SpfResult::policy,
                         SpfResult::temperror,
                         SpfResult::permerror}));
    check(entry.evidence.dkim->front().result,
          std::to_array({DkimResult::none,
                         DkimResult::pass,
                         DkimResult::fail,
                         DkimResult::policy,
                         DkimResult::neutral,
                         DkimResult::temperror,
                         DkimResult::permerror}));
    entry.evidence.sender_domain.emplace();
    check(entry.evidence.sender_domain->result,
          std::to_array({SenderDomainResult::reachable,
                         SenderDomainResult::unreachable,
                         SenderDomainResult::null_mx,
                         SenderDomainResult::temperror}));
    check(entry.evidence.phase,
          std::to_array(
              {Phase::connect, Phase::helo, Phase::mail, Phase::rcpt, Phase::end_of_message}));
}

TEST_CASE("entries made at random are read as they were written") {
    std::mt19937 random{20'261'122}; // NOLINT(cert-msc51-cpp): the same each time
    for (int i = 0; i < 2'000; ++i) {
        const JournalEntry entry = random_entry(random);
        CHECK(read_back(entry) == entry);
    }
}

TEST_CASE("an entry of which no time of MAIL is known has its own") {
    JournalEntry entry = tests::entry("c1");
    entry.evidence.time.reset();
    CHECK(read_back(entry).evidence.time == entry.time);
    entry.evidence.time = entry.time - std::chrono::days{400}; // a clock that was wrong
    CHECK(read_back(entry).evidence.time == entry.time);
}

TEST_CASE("text of strangers stays as it is, and is cut") {
    JournalEntry entry = tests::entry("c1");
    entry.evidence.helo = "\r\n\xff\\";
    entry.evidence.mail_from = std::string(100'000, 'x') + "@example.org";
    entry.evidence.recipients = {"a\x01@example.net"};
    entry.evidence.spf_mail_from->explanation = std::string(1'000, '\0');
    entry.evidence.dkim->front().signature = std::string(100'000, 'b');
    entry.evidence.iprev->names.front().name = "\x7f";

    const Evidence read = read_back(entry).evidence;
    CHECK(read.helo == entry.evidence.helo);
    CHECK(read.mail_from == std::string(320, 'x') + "...");
    CHECK(read.recipients == entry.evidence.recipients);
    CHECK(read.spf_mail_from->explanation == std::string(320, '\0') + "...");
    CHECK(read.dkim->front().signature == "bbbbbbbbbbbbbbbb");
    CHECK(read.iprev->names == entry.evidence.iprev->names);
}

// Numbers and types of fields, as they are in databases out there. Never change what is expected
// here: add to it.
TEST_CASE("what an earlier version wrote is read") {
    const Octets octets =
        octets_of("0a0e6d782e6578616d706c652e6e657412043458595a2213080110021a0764656661756c74280430"
                  "0238032a160a026d78120c323030313a6462383a3a32351a02323532106d61696c2e6578616d706c"
                  "652e6f72673a1075736572406578616d706c652e6f72674213736f6d656f6e65406578616d706c65"
                  "2e6e6574622a080112260a106d61696c2e6578616d706c652e6f726710011a1020010db800050000"
                  "00000000000000056a0f0804120b6578616d706c652e6f72677214080112106d61696c2e6578616d"
                  "706c652e6f72677a2f0a2d0803120b6578616d706c652e6f7267220273312a0a7273612d73686132"
                  "353632096447567a64412b2f3d408010");
    const JournalEntry entry = tests::entry("c1");
    CHECK(store::details_of(entry) == octets);
    CHECK(store::with_details(columns_of(entry), octets) == entry);
}

TEST_CASE("what came with the stages has numbers, too") {
    JournalEntry entry = tests::entry("c1");
    entry.evidence = Evidence{};
    entry.evidence.phase = Phase::rcpt;
    entry.evidence.time = entry.time - 1500ms;
    entry.evidence.percentile = 12.5;
    entry.evidence.from_domain = "a.example";
    entry.evidence.organizations = {{"m.a.example", "a.example"}, {"a.example", "a.example"}};
    entry.evidence.spf_helo = SpfEvidence{};
    entry.evidence.spf_helo->lists_only_ipv4 = true;
    entry.evidence.sender_domain = {SenderDomainResult::null_mx, true};
    entry.verdict.reason = Reason::sender_domain_null_mx;
    const Octets octets =
        octets_of("0a0e6d782e6578616d706c652e6e657412043458595a2213080110021a0764656661756c74280930"
                  "0238037204080138018001048801b817910100000000000029409a0109612e6578616d706c65a201"
                  "180a0b6d2e612e6578616d706c651209612e6578616d706c65a2010b0a09612e6578616d706c65aa"
                  "010408031001");
    CHECK(store::details_of(entry) == octets);
    CHECK(store::with_details(columns_of(entry), octets) == entry);
}

TEST_CASE("a field of a later version is passed over") {
    const JournalEntry entry = tests::entry("c1");
    Octets octets = store::details_of(entry);
    const Octets field_100 = octets_of("a00601");
    octets.insert(octets.end(), field_100.begin(), field_100.end());
    CHECK(store::with_details(columns_of(entry), octets) == entry);
}

TEST_CASE("octets that no entry has are told with the case") {
    struct Case {
        const char* name;
        const char* hex;
        const char* trouble;
    };

    const std::vector<Case> cases{
        {"nothing", "", "it has 0 for an action"},
        {"no mode", "22020801", "it has 0 for a mode"},
        {"an action of a later version", "220408631002", "it has 99 for an action"},
        {"a negative one", "220d08ffffffffffffffffff011002", "it has -1 for an action"},
        {"a reason of a later version", "2206080110022863", "it has 99 for a reason"},
        {"a reason without what would be", "2206080110022801", "it has 0 for an action"},
        {"an exemption of a later version", "2206080110022063", "it has 99 for an exemption"},
        {"no result of iprev", "2204080110026200", "it has 0 for a result of iprev"},
        {"no outcome of a name",
         "22040801100262040801"
         "1200",
         "it has 0 for the outcome"},
        {"an address of 2 octets",
         "220408011002620a08011206"
         "10011a020000",
         "it has 2 octets"},
        {"a result of SPF of a later version",
         "2204080110026a020863",
         "it has 99 for a result of SPF"},
        {"no result of DKIM", "2204080110027a020a00", "it has 0 for a result of DKIM"},
        {"a phase of a later version", "22040801100280010a", "it has 10 for a phase"},
        {"no result of the sender domain", "220408011002aa0100", "it has 0 for a result of the se"},
        {"more than all", "22040801100291010000000000005940", "it has 100.000000 for a percentile"},
        {"less than none", "220408011002910100000000000000c0", "it has -2.000000 for a percentile"},
        {"no number", "2204080110029101000000000000f87f", "for a percentile"},
        {"another format", "7b2261223a317d", "damaged"},
    };
    for (const auto& c : cases) {
        SUBCASE(c.name) {
            const std::string trouble = trouble_with(octets_of(c.hex));
            CHECK_MESSAGE(trouble.starts_with("case c1: the entry cannot be read: "), trouble);
            CHECK_MESSAGE(trouble.find(c.trouble) != std::string::npos, trouble);
        }
    }
}

TEST_CASE("octets that were cut or changed anywhere are an entry or a StoreError") {
    const Octets octets = store::details_of(tests::entry("c1"));
    for (std::size_t at = 0; at < octets.size(); ++at) {
        trouble_with({octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(at)});
        for (unsigned bit = 0; bit < 8; ++bit) {
            Octets changed = octets;
            changed[at] ^= static_cast<std::uint8_t>(1U << bit);
            trouble_with(changed);
        }
    }
    CHECK(trouble_with(octets).empty());
}
