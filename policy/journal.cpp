#include "policy/journal.hpp"

#include "policy/ascii.hpp"
#include "policy/grace.hpp"
#include "policy/mailbox.hpp"
#include "policy/printable.hpp"

#include <algorithm>

namespace policy {

namespace {

// A d= may be anything, and a comma or a colon in it would read as another signature's result.
std::string plain_name(std::string_view name) {
    std::string plain{name};
    std::ranges::replace_if(
        plain, [](char c) { return c == ',' || c == ':'; }, '?');
    return plain;
}

// Those that pass come first: long names in front of them would have them cut.
std::string signatures(std::vector<DkimSignature> dkim) {
    const auto passes = [](const DkimSignature& one) { return one.result == DkimResult::pass; };
    std::stable_partition(dkim.begin(), dkim.end(), passes); // clang 14 reads no subrange
    std::string text;
    for (const auto& signature : dkim) {
        text += text.empty() ? "" : ",";
        text += std::string{to_string(signature.result)} + ':' + plain_name(signature.sdid);
    }
    return text.empty() ? "none" : text;
}

template <typename Evidence>
std::string result_of(const std::optional<Evidence>& evidence) {
    return evidence ? std::string{to_string(evidence->result)} : std::string{};
}

} // namespace

std::string logfmt(std::string_view name, std::string_view value, std::size_t limit) {
    if (value.empty()) {
        return "";
    }
    const std::string text = printable(value, limit);
    const bool is_plain = std::ranges::all_of(
        text, [](char c) { return c != ' ' && c != '"' && c != '=' && c != '\\'; });
    std::string out = ' ' + std::string{name} + '=';
    if (is_plain) {
        return out + text;
    }
    out += '"';
    for (const char c : text) {
        out += c == '"' || c == '\\' ? "\\" : "";
        out += c;
    }
    return out + '"';
}

std::string log_line(const JournalEntry& entry) {
    const Evidence& evidence = entry.evidence;
    const Verdict& verdict = entry.verdict;
    std::string line = logfmt("case", entry.case_id);
    line += logfmt("queue_id", entry.queue_id);
    line += logfmt("client", evidence.client ? evidence.client->to_string() : "");
    line += logfmt("helo", evidence.helo);
    const bool is_null_path = evidence.phase >= Phase::mail && evidence.mail_from.empty();
    line += logfmt("mail_from_domain", is_null_path ? "<>" : evidence.mail_from_domain);
    line += logfmt("mail_from", Mailbox::parse(evidence.mail_from) ? "" : evidence.mail_from);
    line += logfmt("iprev", result_of(evidence.iprev));
    line += logfmt("spf", result_of(evidence.spf_mail_from));
    line += logfmt("spf_helo", result_of(evidence.spf_helo));
    line += logfmt("dkim", evidence.dkim ? signatures(*evidence.dkim) : "");
    line += logfmt("verdict", to_string(verdict.action));
    line += logfmt("reason", verdict.reason ? to_string(*verdict.reason) : "");
    line += logfmt("probe", verdict.is_probe ? "yes" : "");
    line += logfmt("exempt", verdict.exemption ? to_string(*verdict.exemption) : "");
    line += logfmt("stage", verdict.stage);
    line += logfmt("mode", to_string(verdict.mode));
    if (verdict.reason && verdict.mode < Mode::enforce) {
        line += logfmt("would_enforce", to_string(verdict.would_enforce));
    }
    if (evidence.grace) {
        line += logfmt("refusals", std::to_string(evidence.grace->refusals));
        line += logfmt("refused_from", date_told(evidence.grace->refused_from));
    }
    line += logfmt("reply", entry.reply ? entry.reply->to_string() : "");
    return line.substr(1);
}

} // namespace policy
