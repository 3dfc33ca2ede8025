#include "policy/probe.hpp"

#include "policy/decide.hpp"
#include "policy/fault.hpp"
#include "policy/placeholders.hpp"
#include "policy/remedy.hpp"
#include "policy/reply_writer.hpp"
#include "policy/requirements.hpp"
#include "policy/stage_choice.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <vector>

namespace policy {

namespace {

// RFC 3463: nothing in the sender's set-up is wrong, so no detail is named.
const ReplyCode tested{550, "5.7.0"};
const ReplyCode too_many_tests{450, "4.7.0"};

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& part : parts) {
        text += text.empty() ? part : ", " + part;
    }
    return text;
}

std::string result_in_short(const Verdict& verdict,
                            const Evidence& evidence,
                            const std::vector<Reason>& faults) {
    if (verdict.exemption == Exemption::ipv4) {
        return "this came over IPv4, where no mail is judged";
    }
    if (verdict.exemption) {
        return "this client has logged in, and such mail is not judged";
    }
    if (faults.empty()) {
        return "passed, all that is asked for is there";
    }
    std::vector<std::string> parts;
    std::ranges::transform(faults, std::back_inserter(parts), [&](Reason fault) {
        return fault_in_short(evidence, fault);
    });
    return "failed, " + joined(parts);
}

// "refused with 550 5.7.25"
std::string fate(Action action, const ReplyCode& code) {
    return action == Action::accept ? "accepted" : "refused with " + code.to_string();
}

std::string what_happens(const Verdict& verdict, const Policy& policy) {
    if (!verdict.reason) {
        return "Such mail is accepted here.";
    }
    std::string text =
        "Such mail is now " + fate(action_in_mode(verdict), code_for(verdict, policy)) + " here.";
    if (verdict.mode < Mode::enforce) {
        Verdict further = verdict;
        further.mode = Mode::enforce;
        text += " Where this is enforced it is " +
                fate(verdict.would_enforce, code_for(further, policy)) + '.';
    }
    return text;
}

} // namespace

std::string probe_address(const Policy& policy) {
    if (policy.probe_recipients.empty()) {
        return "";
    }
    const RecipientPattern& first = policy.probe_recipients.front();
    return first.local_part + '@' + first.domain;
}

bool is_probe(const Policy& policy, std::string_view recipient) {
    return matches_any(policy.probe_recipients, recipient) &&
           !matches_any(policy.exempt_recipients, recipient);
}

bool is_probe(const Policy& policy, const Evidence& evidence) {
    return !policy.probe_recipients.empty() && !evidence.recipients.empty() &&
           !is_inside(evidence, policy) &&
           std::ranges::all_of(evidence.recipients, [&](const std::string& recipient) {
               return is_probe(policy, recipient);
           });
}

Reply probe_reply(const Verdict& verdict,
                  const Evidence& evidence,
                  const Policy& policy,
                  const ReplyContext& context) {
    const std::string client = '[' + evidence.client->to_string() + "] IPv6 test: ";
    const std::string case_id = ", case " + std::string{context.case_id};
    if (evidence.is_over_probe_limit) {
        return {too_many_tests,
                {client + "your network has had many of them, please try again later" + case_id}};
    }
    const auto& requirements = stage_named(policy, verdict.stage).requirements;
    const auto faults =
        verdict.exemption ? std::vector<Reason>{} : faults_of(evidence, requirements);
    ReplyWriter writer{tested, client + result_in_short(verdict, evidence, faults) + case_id};
    writer.add("This address takes no mail: this answer is all that comes of it.");
    if (verdict.exemption) {
        return writer.reply();
    }
    writer.add(what_happens(verdict, policy));
    const std::array clients{*evidence.client};
    for (const Reason fault : faults) {
        writer.add("Found: " + fault_found(evidence, fault) + '.');
        for (const auto& line : remedy_for_sender(evidence, fault, requirements, clients)) {
            writer.add("To mend it: " + line);
        }
    }
    if (!context.help_url.empty()) {
        writer.add("See " + help_address({verdict, evidence, context}));
    }
    writer.add_diagnostics(evidence, context.authserv_id);
    return writer.reply();
}

} // namespace policy
