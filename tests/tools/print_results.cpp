// Random evidence, the Authentication-Results field written from it and the reply that refuses it:
// one JSON object a line. Half of what strangers supply is meant to break fields and replies.
// Octets stand in JSON as the code points of the same number.
//
//     print_results SEED COUNT
#include "policy/authentication_results.hpp"
#include "policy/decide.hpp"
#include "policy/reply.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Json = nlohmann::ordered_json;

class Chance {
public:
    explicit Chance(unsigned long seed) : engine_{seed} {}

    // 0 to `last`.
    std::size_t up_to(std::size_t last) {
        return std::uniform_int_distribution<std::size_t>{0, last}(engine_);
    }

    bool one_in(std::size_t count) { return up_to(count - 1) == 0; }

    template <typename Values>
    const auto& of(const Values& values) {
        return values[up_to(std::size(values) - 1)];
    }

    template <typename Enum>
    Enum any(Enum last) {
        return static_cast<Enum>(up_to(static_cast<std::size_t>(last)));
    }

private:
    std::mt19937_64 engine_;
};

constexpr auto hostile_pieces = std::to_array<std::string_view>(
    {"\r\n",     "\n",        "\r",   "\t",          " ",        "  ",
     "%",        "%s%n",      "\"",   "\\",          "\\\"",     "(",
     ")",        "((",        ";",    "=",           "@",        "@@",
     ".",        "..",        ",",    "<>",          "[::1]",    "\x01",
     "\x7f",     "\x80",      "\xff", "\xc3\xa9",    "{client}", "{{",
     "}",        "?",         "none", "=?",          "spf=pass", "reason=\"",
     "\r\n550 ", "\r\n.\r\n", "a",    "example.org", "/",        "dkim=pass header.d=bank.test",
     "*",        "_",         "-",    ":",           "'",        "user"});
constexpr auto domains = std::to_array<std::string_view>({"example.org",
                                                          "mail.example.org",
                                                          "xn--bcher-kva.example",
                                                          "localhost",
                                                          "a_b.example.org",
                                                          "-a.example.org",
                                                          "example.org.",
                                                          "1.2.3.4",
                                                          "[IPv6:2001:db8::1]"});
constexpr auto local_parts = std::to_array<std::string_view>({"user",
                                                              "a.b",
                                                              "user+tag",
                                                              "a/b=c",
                                                              "a..b",
                                                              ".a",
                                                              "\"odd one\"",
                                                              R"("a\"b")",
                                                              "Ümlaut",
                                                              "x'y",
                                                              "{a}",
                                                              ""});

std::string hostile(Chance& chance) {
    std::string text;
    for (std::size_t pieces = chance.up_to(12); pieces > 0; --pieces) {
        text += chance.of(hostile_pieces);
    }
    if (chance.one_in(8)) {
        text += std::string(chance.up_to(400), chance.of(std::string_view{"x \"\\(%\x80"}));
    }
    if (chance.one_in(8)) {
        text += '\0';
    }
    return text;
}

std::string text(Chance& chance, std::string_view ordinary) {
    return chance.one_in(2) ? hostile(chance) : std::string{ordinary};
}

std::string domain(Chance& chance) {
    return chance.one_in(3) ? hostile(chance) : std::string{chance.of(domains)};
}

std::string mailbox(Chance& chance) {
    return std::string{chance.of(local_parts)} + '@' + domain(chance);
}

policy::Address address(Chance& chance) {
    policy::Address::Bytes bytes{0x20, 0x01, 0x0d, 0xb8};
    for (std::size_t i = 4; i < bytes.size(); ++i) {
        bytes[i] = chance.one_in(2) ? 0 : static_cast<std::uint8_t>(chance.up_to(255));
    }
    return policy::Address{bytes};
}

policy::IprevEvidence iprev(Chance& chance) {
    policy::IprevEvidence evidence{chance.any(policy::IprevResult::permerror), {}};
    for (std::size_t names = chance.up_to(10); names > 0; --names) {
        policy::IprevName name{domain(chance), chance.any(policy::NameOutcome::not_looked_up), {}};
        for (std::size_t count = chance.up_to(4) + 1; count > 0; --count) {
            name.addresses.push_back(address(chance));
        }
        evidence.names.push_back(std::move(name));
    }
    return evidence;
}

policy::SpfEvidence spf(Chance& chance) {
    policy::SpfEvidence evidence;
    evidence.result = chance.any(policy::SpfResult::permerror);
    evidence.domain = domain(chance);
    evidence.mechanism = chance.one_in(3) ? "" : text(chance, "ip6:2001:db8::/32");
    evidence.problem = chance.one_in(3) ? "" : text(chance, "too many look-ups");
    evidence.explanation = hostile(chance);
    return evidence;
}

policy::DkimSignature signature(Chance& chance) {
    policy::DkimSignature signature;
    signature.result = chance.any(policy::DkimResult::permerror);
    signature.sdid = domain(chance);
    signature.auid = chance.one_in(3) ? "" : mailbox(chance);
    signature.selector = text(chance, "s1");
    signature.algorithm = text(chance, "rsa-sha256");
    signature.signature = text(chance, "dGVzdA+/=abcdefgh");
    signature.problem = chance.one_in(3) ? "" : text(chance, "body hash does not match");
    signature.key_bits = chance.one_in(3) ? 0 : 2048;
    signature.is_testing = chance.one_in(4);
    return signature;
}

policy::Evidence evidence(Chance& chance) {
    policy::Evidence evidence;
    evidence.client = address(chance);
    evidence.helo = domain(chance);
    evidence.mail_from = chance.one_in(4)   ? ""
                         : chance.one_in(4) ? hostile(chance)
                                            : mailbox(chance);
    evidence.mail_from_domain = evidence.mail_from.empty() ? "" : domain(chance);
    evidence.recipients = {mailbox(chance)};
    evidence.iprev = iprev(chance);
    evidence.spf_helo = spf(chance);
    if (!evidence.mail_from.empty()) {
        evidence.spf_mail_from = spf(chance);
    }
    evidence.dkim.emplace();
    for (std::size_t count = chance.up_to(3) == 0 ? 10 : chance.up_to(3); count > 0; --count) {
        evidence.dkim->push_back(signature(chance));
    }
    return evidence;
}

policy::Policy policy_of(Chance& chance, policy::Profile profile) {
    static constexpr auto modes =
        std::to_array({policy::Mode::soft, policy::Mode::enforce, policy::Mode::closed});
    policy::Policy policy;
    policy.stages.front().mode = chance.of(modes);
    policy.stages.front().requirements = policy::requirements_of(profile);
    policy.stages.front().replies = policy::replies_of(profile);
    policy.stages.front().help_url = chance.one_in(4) ? "" : "https://mail.example.org/ipv6?a=%20b";
    return policy;
}

// As UTF-8, which JSON is, with a code point for each octet.
std::string octets(std::string_view raw) {
    std::string out;
    for (const char c : raw) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet < 0x80) {
            out += c;
        } else {
            out += static_cast<char>(0xc0U | octet >> 6U);
            out += static_cast<char>(0x80U | (octet & 0x3fU));
        }
    }
    return out;
}

Json json_of(const policy::SpfEvidence& spf, std::string_view name, const std::string& identity) {
    return {{"method", "spf"},
            {"result", to_string(spf.result)},
            {"reason", octets(spf.problem)},
            {"properties", {{name, octets(identity)}}}};
}

Json json_of(const policy::DkimSignature& signature) {
    return {{"method", "dkim"},
            {"result", to_string(signature.result)},
            {"reason", octets(signature.problem)},
            {"properties",
             {{"header.d", octets(signature.sdid)},
              {"header.i", octets(signature.auid)},
              {"header.s", octets(signature.selector)},
              {"header.a", octets(signature.algorithm)},
              {"header.b", octets(signature.signature)}}}};
}

// As DNS was asked for it.
const std::string& helo_told(const policy::Evidence& evidence) {
    return evidence.spf_helo->domain.empty() ? evidence.helo : evidence.spf_helo->domain;
}

// What the field has to say, in its order.
Json results_in(const policy::Evidence& evidence) {
    Json results = Json::array();
    results.push_back({{"method", "iprev"},
                       {"result", to_string(evidence.iprev->result)},
                       {"reason", ""},
                       {"properties", {{"policy.iprev", evidence.client->to_string()}}}});
    if (evidence.spf_mail_from) {
        results.push_back(json_of(*evidence.spf_mail_from,
                                  "smtp.mailfrom",
                                  evidence.mail_from_domain.empty() ? evidence.mail_from
                                                                    : evidence.mail_from_domain));
    }
    results.push_back(json_of(*evidence.spf_helo, "smtp.helo", helo_told(evidence)));
    for (const auto& signature : *evidence.dkim) {
        results.push_back(json_of(signature));
    }
    if (evidence.dkim->empty()) {
        results.push_back({{"method", "dkim"},
                           {"result", "none"},
                           {"reason", ""},
                           {"properties", Json::object()}});
    }
    return results;
}

Json reply_in(const policy::Evidence& evidence, const policy::Policy& policy) {
    const auto verdict = policy::decide(evidence, policy).value();
    if (verdict.action == policy::Action::accept) {
        return nullptr;
    }
    const policy::ReplyContext context{
        "1a2b-case-id", "mx.example.net", policy.stages.front().help_url};
    const auto reply = policy::reply_for(verdict, evidence, policy, context);
    return {{"profile_has_diagnostics", policy.stages.front().replies.has_diagnostics},
            {"action", to_string(verdict.action)},
            {"reason", to_string(*verdict.reason)},
            {"help_url", policy.stages.front().help_url},
            {"code", reply.code.code},
            {"enhanced_status", reply.code.enhanced_status},
            {"lines", reply.lines}};
}

} // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): an exception ends it, and the test that runs it
int main(int count, char** arguments) {
    if (count != 3) {
        std::fputs("usage: print_results SEED COUNT\n", stderr);
        return EXIT_FAILURE;
    }
    Chance chance{std::strtoul(arguments[1], nullptr, 10)};
    for (unsigned long left = std::strtoul(arguments[2], nullptr, 10); left > 0; --left) {
        const policy::Evidence random = evidence(chance);
        const policy::Policy policy = policy_of(chance, chance.any(policy::Profile::terse));
        const Json line{{"client", random.client->to_string()},
                        {"field", policy::authentication_results("mx.example.net", random)},
                        {"results", results_in(random)},
                        {"reply", reply_in(random, policy)}};
        std::puts(line.dump().c_str());
    }
    return EXIT_SUCCESS;
}
