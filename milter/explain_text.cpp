#include "milter/explain_text.hpp"

#include "policy/authentication_results.hpp"
#include "policy/printable.hpp"

#include <fmt/format.h>
#include <sysexits.h>

namespace milter {

std::string evidence_text(const policy::Evidence& evidence) {
    std::string text = fmt::format("    client {}\n    helo {}\n    mail_from <{}>\n",
                                   evidence.client ? evidence.client->to_string() : "none",
                                   policy::printable(evidence.helo),
                                   policy::printable(evidence.mail_from));
    if (evidence.is_from_list) {
        text += "    from a mailing list (List-Id)\n";
    }
    if (evidence.is_forwarded) {
        text += "    forwarded\n";
    }
    for (const auto& result : policy::resinfos(evidence)) {
        text += "    " + result + '\n';
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
