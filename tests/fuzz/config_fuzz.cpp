// A configuration file; behind a NUL what is in the lists and keys that it names.
#include "milter/config.hpp"
#include "policy/stage_choice.hpp"
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

void require_sound_replies(const policy::Stage& stage, const policy::Policy& policy) {
    static const auto evidence = hostile_evidence();
    const policy::ReplyContext context{"0123456789ab", "mx.example.net", stage.help_url};
    for (const auto mode : {policy::Mode::soft, policy::Mode::enforce}) {
        for (const auto reason : policy::all_reasons) {
            const policy::Verdict verdict{.reason = reason, .stage = stage.name, .mode = mode};
            const auto reply = policy::reply_for(verdict, evidence, policy, context);
            fuzz::require_sound_reply(reply);
            const auto& first = reply.lines.front();
            require(first.find(evidence.client->to_string()) != std::string::npos, "the client");
            require(first.find(context.case_id) != std::string::npos, "the case");
        }
    }
}

void require_sound_stages(const policy::Policy& policy) {
    require(!policy.stages.empty(), "there is a stage");
    for (const auto& stage : policy.stages) {
        const bool is_last = &stage == &policy.stages.back();
        const bool selects_all = stage.selector == policy::Selector{};
        require(is_last == selects_all, "the last stage, and no other, selects all");
        require(&policy::stage_named(policy, stage.name) == &stage, "a stage has its name alone");
        fuzz::require_printable(stage.name, "a name is printable");
        require_sound_replies(stage, policy);
    }
}

// Every file that the configuration names.
milter::ReadFile reader_of(std::string_view content) {
    return [content](const std::string&, std::size_t most) {
        return tl::expected<std::string, std::string>{content.substr(0, most)};
    };
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
    auto list = fuzz::text_of(octets, size);
    const auto toml = fuzz::take_until('\0', list);
    const auto config = milter::parse_config(toml, "fuzz.toml", reader_of(list));
    if (!config) {
        require(config.error().line > 0 && config.error().column > 0, "an error has its place");
        require(!config.error().message.empty(), "and says what is wrong");
        fuzz::require_printable(to_string(config.error()), "in one printable line");
        return 0;
    }
    require_sound_stages(config->policy);
    for (const auto& warning : config->warnings) {
        fuzz::require_printable(warning, "a warning is one printable line");
    }
    return 0;
}
