#include "milter/explain_text.hpp"

#include "milter/since.hpp"
#include "policy/authentication_results.hpp"
#include "policy/hints.hpp"
#include "policy/printable.hpp"

#include <fmt/format.h>
#include <sysexits.h>

namespace milter {

namespace {

// "mx [2001:db8::25]:25", of what is known.
std::string told(const policy::Listener& listener) {
    std::string text = listener.name;
    if (!listener.address.empty()) {
        text += fmt::format("{}[{}]", text.empty() ? "" : " ", listener.address);
    }
    if (!listener.port.empty()) {
        text += ':' + listener.port;
    }
    return policy::printable(text);
}

std::string organizations_text(const policy::Evidence& evidence) {
    std::string text;
    for (const auto& [domain, organizational_domain] : evidence.organizations) {
        if (domain != organizational_domain) {
            text += fmt::format("    {} is of {}\n",
                                policy::printable(domain),
                                policy::printable(organizational_domain));
        }
    }
    return text;
}

} // namespace

std::string evidence_text(const policy::Evidence& evidence) {
    std::string text;
    if (evidence.time) {
        text += fmt::format("    time {}\n", to_string(*evidence.time));
    }
    if (evidence.listener != policy::Listener{}) {
        text += fmt::format("    listener {}\n", told(evidence.listener));
    }
    text += fmt::format("    client {}\n    helo {}\n    mail_from <{}>\n",
                        evidence.client ? evidence.client->to_string() : "none",
                        policy::printable(evidence.helo),
                        policy::printable(evidence.mail_from));
    if (evidence.percentile) {
        text += fmt::format("    percentile {:.2f}\n", *evidence.percentile);
    }
    if (evidence.is_from_list) {
        text += "    from a mailing list (List-Id)\n";
    }
    if (evidence.is_forwarded) {
        text += "    forwarded\n";
    }
    if (evidence.from_domain && !evidence.from_domain->empty()) {
        text += fmt::format("    from_domain {}\n", policy::printable(*evidence.from_domain));
    }
    text += organizations_text(evidence);
    for (const auto& result : policy::resinfos(evidence)) {
        text += "    " + result + '\n';
    }
    if (evidence.sender_domain) {
        text += fmt::format("    sender domain {}\n", to_string(evidence.sender_domain->result));
    }
    if (evidence.grace) {
        text += fmt::format("    grace since {}, {} refused before, date told {}\n",
                            to_string(evidence.grace->first),
                            evidence.grace->refusals,
                            to_string(evidence.grace->refused_from));
    }
    for (const auto& hint : policy::hints_of(evidence)) {
        text += "    hint: " + hint + '\n';
    }
    return text;
}

std::string verdict_text(const policy::Verdict& verdict) {
    std::string text = "    " + std::string{to_string(verdict.action)};
    if (verdict.reason) {
        text += fmt::format(", reason {}", to_string(*verdict.reason));
    }
    if (verdict.exemption) {
        text += fmt::format(", exempt: {}", to_string(*verdict.exemption));
    }
    if (!verdict.stage.empty()) {
        text += fmt::format("\n    stage {}, mode {}\n    in soft: {}, in enforce: {}",
                            policy::printable(verdict.stage),
                            to_string(verdict.mode),
                            to_string(verdict.would_soft),
                            to_string(verdict.would_enforce));
    }
    return text + '\n';
}

std::string reply_text(const std::optional<policy::Reply>& reply) {
    return "\nReply\n" + (reply ? to_string(*reply) : "250 (the message goes on)\n");
}

std::string fields_text(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::string text;
    for (const auto& [name, value] : fields) {
        text += fmt::format("\nField\n{}: {}\n", name, value);
    }
    return text;
}

int status_for(policy::Action action) {
    switch (action) {
    case policy::Action::accept: return EX_OK;
    case policy::Action::tempfail: return EX_TEMPFAIL;
    case policy::Action::reject: return EX_UNAVAILABLE;
    }
    return EX_SOFTWARE;
}

} // namespace milter
