#include "milter/session.hpp"

#include "milter/case_id.hpp"
#include "milter/since.hpp"
#include "milter/verify/domain.hpp"
#include "milter/verify/iprev.hpp"
#include "milter/verify/spf.hpp"
#include "policy/ascii.hpp"
#include "policy/authentication_results.hpp"
#include "policy/decide.hpp"
#include "policy/journal.hpp"
#include "policy/mailbox.hpp"
#include "policy/policy_field.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

namespace milter {

namespace {

constexpr std::string_view results_field_name = "Authentication-Results";

// What is written by who passes mail on: RFC 5322 section 3.6.6, RFC 8617, and the habits of
// mailbox providers.
constexpr auto fields_of_forwarders = std::to_array<std::string_view>(
    {"Resent-From", "ARC-Seal", "X-Forwarded-To", "X-Forwarded-For", "Delivered-To"});

// Sender Rewriting Scheme: a forwarder's own address in place of the author's.
bool is_rewritten(std::string_view mail_from) {
    return policy::same_name(mail_from.substr(0, 5), "SRS0=") ||
           policy::same_name(mail_from.substr(0, 5), "SRS1=");
}

bool has_tag_mode(const policy::Policy& policy) {
    return std::ranges::find(policy.stages, policy::Mode::tag, &policy::Stage::mode) !=
           policy.stages.end();
}

// RFC 5322 section 4.5.8 lets white space stand before the colon. MTAs take it away, mostly.
std::string_view without_space_at_end(std::string_view field_name) {
    return field_name.substr(0, field_name.find_last_not_of(" \t") + 1);
}

} // namespace

Answer answer_of(policy::Action action) {
    switch (action) {
    case policy::Action::accept: return Answer::proceed;
    case policy::Action::tempfail: return Answer::tempfail;
    case policy::Action::reject: return Answer::reject;
    }
    return Answer::tempfail;
}

Session::Message::Message(verify::Resolver& resolver, Mta& mta)
    : case_id{new_case_id()}, lookups{resolver, [&mta] { mta.progress(); }} {}

Session::Session(const Services& services, Mta& mta, AtRcpt at_rcpt)
    : services_{services}, mta_{mta}, at_rcpt_{at_rcpt}, setup_{services.configs.current()} {}

std::string_view Session::authserv_id() const {
    const std::string& configured = setup_->config.milter.authserv_id;
    return configured.empty() ? services_.host_name : configured;
}

bool Session::is_judged() const {
    return !policy::decide(evidence_, policy());
}

// Our own relays and local filters hand us fields that we wrote ourselves. Everybody else's are
// forged, whether or not the client is judged.
bool Session::removes_fields() const {
    const auto exemption = policy::exemption_of(evidence_, policy());
    const bool is_inside =
        exemption == policy::Exemption::local || exemption == policy::Exemption::network;
    const bool has_what_to_remove =
        !setup_->config.milter.authserv_id.empty() || has_tag_mode(policy());
    return !is_inside && has_what_to_remove;
}

Answer Session::connect(std::optional<policy::Address> client) {
    setup_ = services_.configs.current();
    evidence_.client = client;
    evidence_.listener = {
        mta_.macro("{daemon_name}"), mta_.macro("{daemon_addr}"), mta_.macro("{daemon_port}")};
    if (is_judged()) {
        verify::start_iprev(*setup_->resolver, *client);
    } else if (policy::exemption_of(evidence_, policy()) && !removes_fields()) {
        return Answer::accept;
    }
    return Answer::proceed;
}

// Only a hint, and one that takes time where records are long: once for a domain, and not for all
// that one connection can name.
void Session::start_spf(const verify::SpfRequest& request) {
    constexpr std::size_t most_domains = 20;
    constexpr std::size_t longest_domain = 255;
    const bool is_wanted =
        request.domain.size() <= longest_domain && spf_started_.size() < most_domains;
    if (is_wanted && spf_started_.insert(request.domain).second) {
        verify::start_spf(*setup_->resolver, request);
    }
}

void Session::helo(std::string_view name) {
    abort(); // RFC 5321 section 4.1.4: EHLO in a transaction clears it
    evidence_.helo = name;
    if (is_judged()) {
        start_spf(verify::spf_request_for_helo(*evidence_.client, name, authserv_id()));
    }
}

// There is no abort between a refused or accepted MAIL and the next one, so this forgets, too. A
// failure is not the message's alone: without its MAIL it would read as a bounce.
void Session::begin_message() {
    forget_message();
    outcome_.reset();
    setup_ = services_.configs.current();
    message_.emplace(*setup_->resolver, mta_);
}

void Session::mail(std::string_view reverse_path) {
    has_failed_ = false;
    begin_message();
    evidence_.mail_from = policy::mailbox_in(reverse_path);
    evidence_.mail_from_domain = verify::domain_of(evidence_.mail_from);
    evidence_.is_forwarded = is_rewritten(evidence_.mail_from);
    evidence_.is_authenticated =
        !mta_.macro("{auth_type}").empty() || !mta_.macro("{auth_authen}").empty();
    if (is_judged() && !evidence_.mail_from.empty()) {
        start_spf(verify::spf_request_for_mail_from(
            *evidence_.client, evidence_.helo, evidence_.mail_from, authserv_id()));
    }
}

Answer Session::rcpt(std::string_view forward_path) {
    if (has_failed_) {
        return Answer::proceed;
    }
    if (!message_ || message_->has_begun) {
        begin_message(); // there was no MAIL, or its message is over
    }
    const std::string recipient{policy::mailbox_in(forward_path)};
    if (at_rcpt_ == AtRcpt::answers) {
        auto earlier = std::exchange(evidence_.recipients, {}); // which may be thousands
        policy::Evidence alone = evidence_;
        evidence_.recipients = std::move(earlier);
        alone.recipients = {recipient};
        const auto verdict = policy::decide(alone, policy());
        if (verdict && verdict->action != policy::Action::accept) {
            return act_on(*verdict, alone);
        }
    }
    evidence_.recipients.push_back(recipient);
    return Answer::proceed;
}

// The message under way. An MTA that sends content without MAIL gets a message with a null path.
Session::Message& Session::message() {
    if (!message_) {
        begin_message();
    }
    return *message_;
}

// Now all recipients are known, and whether the message will be checked.
Session::Message& Session::begin_content() {
    Message& content = message();
    if (!content.has_begun) {
        content.has_begun = true;
        if (is_judged()) {
            content.dkim.emplace();
        }
    }
    return content;
}

void Session::note_forged(std::string_view name, std::string_view value) {
    Message& content = message();
    if (policy::same_name(name, results_field_name)) {
        ++content.results_fields;
        const std::string& ours = setup_->config.milter.authserv_id;
        if (!ours.empty() && policy::claims_authserv_id(value, ours)) {
            content.forged.emplace_back(results_field_name, content.results_fields);
        }
    } else if (policy::same_name(name, policy::policy_field_name)) {
        ++content.policy_fields;
        content.forged.emplace_back(policy::policy_field_name, content.policy_fields);
    }
}

void Session::note_kind(std::string_view field_name) {
    const auto is = [&](std::string_view name) { return policy::same_name(field_name, name); };
    evidence_.is_from_list = evidence_.is_from_list || is("List-Id");
    evidence_.is_forwarded =
        evidence_.is_forwarded || std::ranges::any_of(fields_of_forwarders, is);
}

void Session::header(std::string_view name, std::string_view value) {
    note_forged(without_space_at_end(name), value); // after a failure, too: the message may go on
    if (has_failed_) {
        return;
    }
    Message& content = begin_content();
    if (content.dkim) {
        note_kind(name);
        content.dkim->header(name, value);
    }
}

void Session::end_of_header() {
    if (has_failed_) {
        return;
    }
    Message& content = begin_content();
    if (content.dkim) {
        content.dkim->end_of_header(content.lookups);
    }
}

void Session::body(std::span<const unsigned char> octets) {
    if (has_failed_) {
        return;
    }
    Message& content = begin_content();
    if (content.dkim) {
        content.dkim->body(octets);
    }
}

// Everything that is still missing, within one deadline. What is not in by then is temperror.
void Session::gather() {
    verify::Lookups& lookups = message_->lookups;
    lookups.set_deadline(std::chrono::steady_clock::now() + setup_->config.deadline);
    const policy::Address& client = *evidence_.client;
    // Known for the connection, unless it could not be told: then it is asked anew.
    if (!evidence_.iprev || evidence_.iprev->result == policy::IprevResult::temperror) {
        evidence_.iprev = verify::check_iprev(lookups, client);
    }
    evidence_.spf_helo = verify::check_spf(
        lookups, verify::spf_request_for_helo(client, evidence_.helo, authserv_id()));
    if (!evidence_.mail_from.empty()) {
        evidence_.spf_mail_from =
            verify::check_spf(lookups,
                              verify::spf_request_for_mail_from(
                                  client, evidence_.helo, evidence_.mail_from, authserv_id()));
    }
    evidence_.dkim = message_->dkim->end_of_message(lookups);
}

Answer Session::end_of_message() {
    if (has_failed_) {
        return end_in_trouble();
    }
    if (begin_content().dkim) {
        gather();
    }
    const auto verdict = policy::decide(evidence_, policy()).value();
    evidence_ = policy::as_counted(std::move(evidence_), policy());
    return act_on(verdict, evidence_);
}

// The only place where a verdict acts.
Answer Session::act_on(const policy::Verdict& verdict, const policy::Evidence& evidence) {
    outcome_ = Outcome{verdict, std::nullopt};
    if (verdict.action != policy::Action::accept) {
        const policy::ReplyContext context{message().case_id, authserv_id(), policy().help_url};
        outcome_->reply = policy::reply_for(verdict, evidence, policy(), context);
        mta_.set_reply(*outcome_->reply);
    } else {
        remove_forged();
        mark(verdict);
    }
    if (verdict.mode != policy::Mode::off) {
        record(verdict, evidence);
    }
    return answer_of(verdict.action);
}

// To the log and to the journal.
void Session::record(const policy::Verdict& verdict, const policy::Evidence& evidence) {
    policy::JournalEntry entry;
    entry.time = now();
    entry.host = services_.host_name;
    entry.case_id = message().case_id;
    entry.queue_id = mta_.macro("i");
    entry.evidence = evidence;
    entry.verdict = verdict;
    if (outcome_->reply) {
        entry.reply = outcome_->reply->code;
    }
    services_.log.write(LogLevel::info, policy::log_line(entry));
    if (services_.journal != nullptr) {
        services_.journal->write(std::move(entry));
    }
}

// Descending, because Postfix renumbers at each deletion and Sendmail does not; and before ours are
// inserted.
void Session::remove_forged() {
    if (!message_ || !removes_fields()) {
        return;
    }
    const auto forged = std::exchange(message_->forged, {}); // a second time would hit neighbours
    for (auto field = forged.rbegin(); field != forged.rend(); ++field) {
        mta_.delete_header(field->first, field->second);
    }
}

// Our fields, on a message that goes on.
void Session::mark(const policy::Verdict& verdict) {
    if (!evidence_.dkim) {
        return; // nothing was checked
    }
    if (verdict.mode == policy::Mode::tag) {
        mta_.insert_header(policy::policy_field_name, policy::policy_field(verdict, policy()));
    }
    mta_.insert_header(results_field_name,
                       policy::authentication_results(authserv_id(), evidence_));
}

void Session::abort() {
    has_failed_ = false;
    forget_message();
}

// What stays known is the connection: client, listener, HELO and iprev.
void Session::forget_message() {
    message_.reset();
    evidence_.is_authenticated = false;
    evidence_.mail_from.clear();
    evidence_.mail_from_domain.clear();
    evidence_.recipients.clear();
    evidence_.is_from_list = false;
    evidence_.is_forwarded = false;
    evidence_.spf_mail_from.reset();
    evidence_.spf_helo.reset();
    evidence_.dkim.reset();
}

// Nothing is known of the message, so the modes that never refuse let it pass, and the others ask
// for it again.
Answer Session::end_in_trouble() {
    const Answer answer = answer_in_trouble();
    if (answer == Answer::proceed) {
        remove_forged();
    } else {
        mta_.set_reply({{451, "4.3.0"}, {"Mail cannot be judged now, please try again later"}});
    }
    return answer;
}

Answer Session::answer_in_trouble() const {
    return answer_of(policy::action_in_trouble(policy()));
}

const std::vector<verify::Lookups::Used>& Session::lookups() const {
    static const std::vector<verify::Lookups::Used> none;
    return message_ ? message_->lookups.used() : none;
}

} // namespace milter
