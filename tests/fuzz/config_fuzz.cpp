// A configuration file.
#include "milter/config.hpp"
#include "tests/fuzz/output.hpp"

namespace {

using fuzz::require;

// As much as a stranger can say in a reply.
policy::Evidence hostile_evidence() {
    const std::string hostile = "a%\r\n\\\"()" + std::string(300, '\xff');
    policy::Evidence evidence;
    evidence.client = policy::Address::parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
    evidence.helo = hostile;
    evidence.mail_from = hostile;
    evidence.mail_from_domain = hostile;
    evidence.recipients = {hostile};
    evidence.iprev = policy::IprevEvidence{
        policy::IprevResult::fail,
        std::vector(10, policy::IprevName{hostile, policy::NameOutcome::no_address, {}})};
    evidence.spf_mail_from = {
        policy::SpfResult::permerror, hostile, hostile, hostile, hostile, false};
    evidence.spf_helo = evidence.spf_mail_from;
    evidence.dkim = std::vector(
        10,
        policy::DkimSignature{
            policy::DkimResult::fail, hostile, hostile, hostile, hostile, hostile, hostile});
    return evidence;
}

void require_sound_replies(const milter::Config& config) {
    static const auto evidence = hostile_evidence();
    const policy::ReplyContext context{"0123456789ab", "mx.example.net", config.policy.help_url};
    for (const auto mode : {policy::Mode::soft, policy::Mode::enforce}) {
        for (const auto reason : policy::all_reasons) {
            const policy::Verdict verdict{.reason = reason, .stage = "default", .mode = mode};
            const auto reply = policy::reply_for(verdict, evidence, config.policy, context);
            fuzz::require_sound_reply(reply);
            const auto& first = reply.lines.front();
            require(first.find(evidence.client->to_string()) != std::string::npos, "the client");
            require(first.find(context.case_id) != std::string::npos, "the case");
        }
    }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
    const auto config = milter::parse_config(fuzz::text_of(octets, size), "fuzz.toml");
    if (!config) {
        require(config.error().line > 0 && config.error().column > 0, "an error has its place");
        require(!config.error().message.empty(), "and says what is wrong");
        fuzz::require_printable(to_string(config.error()), "in one printable line");
        return 0;
    }
    require(!config->policy.stages.empty(), "there is a stage");
    require_sound_replies(*config);
    for (const auto& warning : config->warnings) {
        fuzz::require_printable(warning, "a warning is one printable line");
    }
    return 0;
}
