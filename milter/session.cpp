#include "milter/session.hpp"

#include "milter/case_id.hpp"
#include "milter/rollout.hpp"
#include "milter/shared_state.hpp"
#include "milter/since.hpp"
#include "milter/timeline_text.hpp"
#include "milter/verify/domain.hpp"
#include "milter/verify/iprev.hpp"
#include "policy/authentication_results.hpp"
#include "policy/decide.hpp"
#include "policy/grace.hpp"
#include "policy/journal.hpp"
#include "policy/mailbox.hpp"
#include "policy/policy_field.hpp"
#include "policy/probe.hpp"
#include "policy/stage_choice.hpp"

#include <utility>

namespace milter {

namespace {

// RFC 5321 section 4.5.3.1.10: the server takes no more of them in this transaction.
const policy::Reply too_many_stages{
    {452, "4.5.3"}, {"Another policy holds for this recipient, please send it on its own"}};

const policy::Reply cannot_judge{{451, "4.3.0"},
                                 {"Mail cannot be judged now, please try again later"}};

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

Session::Session(const Services& services, Mta& mta, Answers answers)
    : services_{services}, mta_{mta}, answers_{answers}, setup_{services.configs.current()} {}

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
    const bool has_what_to_remove =
        !setup_->config.milter.authserv_id.empty() || policy::has_mode(policy(), policy::Mode::tag);
    return !policy::is_inside(evidence_, policy()) && has_what_to_remove;
}

Answer Session::connect(std::optional<policy::Address> client) {
    timeline_.note(SessionEvent::connect);
    setup_ = services_.configs.current();
    evidence_.phase = policy::Phase::connect;
    evidence_.time = now();
    evidence_.client = client;
    evidence_.listener = {
        mta_.macro("{daemon_name}"), mta_.macro("{daemon_addr}"), mta_.macro("{daemon_port}")};
    if (is_judged()) {
        verify::start_iprev(*setup_->resolver, *client);
    } else if (policy::exemption_of(evidence_, policy()) && !removes_fields() && !is_watched() &&
               policy().probe_recipients.empty()) {
        return Answer::accept;
    }
    return Answer::proceed;
}

Answer Session::helo(std::string_view name) {
    timeline_.note(SessionEvent::helo);
    abort(); // RFC 5321 section 4.1.4: EHLO in a transaction clears it
    evidence_.helo = name;
    evidence_.phase = policy::Phase::helo;
    const auto verdict = policy::decide(evidence_, policy());
    if (!verdict) {
        early_.start_at_helo(*setup_->resolver, evidence_, authserv_id());
        return Answer::proceed;
    }
    // What is closed for good, by recipient as EOP has it, says so at RCPT.
    const bool is_closed =
        verdict->action == policy::Action::tempfail &&
        policy::stage_named(policy(), verdict->stage).closed_at == policy::ClosedAt::helo;
    return is_closed && answers_.at_helo ? act_on(*verdict, evidence_) : Answer::proceed;
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
    timeline_.note(SessionEvent::mail);
    has_failed_ = false;
    begin_message();
    evidence_.phase = policy::Phase::mail;
    evidence_.time = now();
    evidence_.mail_from = policy::mailbox_in(reverse_path);
    evidence_.mail_from_domain = verify::domain_of(evidence_.mail_from);
    evidence_.is_forwarded = is_rewritten(evidence_.mail_from);
    evidence_.is_authenticated =
        !mta_.macro("{auth_type}").empty() || !mta_.macro("{auth_authen}").empty();
    if (!setup_->config.rollout_key.empty()) {
        evidence_.percentile = percentile_of(evidence_, setup_->config.rollout_key);
    }
    if (is_judged() && !evidence_.mail_from.empty()) {
        early_.start_at_mail(*setup_->resolver, evidence_, policy(), authserv_id());
    }
}

Answer Session::rcpt(std::string_view forward_path) {
    if (has_failed_) {
        return Answer::proceed;
    }
    if (!message_ || message_->has_begun) {
        begin_message(); // there was no MAIL, or its message is over
    }
    evidence_.phase = policy::Phase::rcpt;
    const std::string recipient = verify::with_a_labels(policy::mailbox_in(forward_path));
    if (answers_.at_rcpt) {
        auto earlier = std::exchange(evidence_.recipients, {}); // which may be thousands
        policy::Evidence alone = evidence_;
        evidence_.recipients = std::move(earlier);
        alone.recipients = {recipient};
        const auto verdict = policy::decide(alone, policy());
        if (verdict && verdict->action != policy::Action::accept && !verdict->is_probe) {
            return act_on(*verdict, alone);
        }
        if (policy::is_split_off(evidence_, policy(), recipient)) {
            services_.log.write(
                LogLevel::info,
                "event=split" + policy::logfmt("client", evidence_.client->to_string()) +
                    policy::logfmt("recipient_domain", verify::domain_of(recipient)));
            mta_.set_reply(too_many_stages);
            return Answer::tempfail;
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

void Session::header(std::string_view name, std::string_view value) {
    message().forged.note(name, value, setup_->config.milter.authserv_id);
    if (services_.fallback != nullptr) {
        message().identity.note(name, value);
    }
    // So far after a failure, too: the message may go on.
    if (has_failed_) {
        return;
    }
    Message& content = begin_content();
    if (content.dkim) {
        content.notes.note(name, value);
        content.dkim->header(name, value);
    }
}

void Session::end_of_header() {
    if (has_failed_) {
        return;
    }
    timeline_.note(SessionEvent::end_of_header);
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

// A test takes DNS questions and tells much, so that nobody gets as many as they like.
void Session::note_probe() {
    if (services_.probe_limit != nullptr && policy::is_probe(policy(), evidence_)) {
        evidence_.is_over_probe_limit = !services_.probe_limit->allows(*evidence_.client, now());
    }
}

Answer Session::end_of_message() {
    if (has_failed_) {
        return end_in_trouble();
    }
    timeline_.note(SessionEvent::end_of_message);
    Message& content = begin_content();
    evidence_.phase = policy::Phase::end_of_message;
    note_probe();
    if (content.dkim && !evidence_.is_over_probe_limit) {
        content.notes.tell(evidence_);
        gather(evidence_, content.lookups, *content.dkim, setup_->config, authserv_id());
    }
    const auto verdict = decide_with_grace();
    const bool has_hints = verdict.is_probe || verdict.action != policy::Action::accept;
    if (has_hints && evidence_.dkim) { // and not where nothing was checked
        gather_for_hints(evidence_, content.lookups);
    }
    evidence_ =
        policy::as_counted(std::move(evidence_), policy::stage_named(policy(), verdict.stage));
    watch(verdict);
    return act_on(verdict, evidence_);
}

// Only where the ledger has a say is it asked, because that may take a moment. A refusal is counted
// as it is asked for, so that hosts that ask at once all get another answer.
policy::Verdict Session::decide_with_grace() {
    auto verdict = policy::decide(evidence_, policy()).value();
    const auto grace = policy::grace_that_matters(evidence_, policy(), verdict);
    if (!grace || services_.grace == nullptr) {
        return verdict;
    }
    evidence_.grace = count_refusal(*services_.grace, evidence_, *grace);
    return policy::decide(evidence_, policy()).value();
}

// As far as is known: what nobody waits for need not be known.
bool Session::is_watched() const {
    return services_.fallback != nullptr && services_.fallback->has_open() &&
           !policy::is_inside(evidence_, policy());
}

// An attempt that somebody else puts off never gets here, and says nothing.
void Session::watch(const policy::Verdict& verdict) {
    if (services_.fallback != nullptr) {
        tell_watch(*services_.fallback, message().identity, evidence_, verdict, services_.log);
    }
}

// The only place where a verdict acts.
Answer Session::act_on(const policy::Verdict& verdict, const policy::Evidence& evidence) {
    if (!message_) {
        message_.emplace(*setup_->resolver, mta_); // HELO is refused, and keeps its configuration
    }
    timeline_.note(SessionEvent::verdict);
    outcome_ = Outcome{verdict, std::nullopt};
    if (verdict.action != policy::Action::accept) {
        const auto& help_url = policy::stage_named(policy(), verdict.stage).help_url;
        const policy::ReplyContext context{message_->case_id, authserv_id(), help_url};
        outcome_->reply = policy::reply_for(verdict, evidence, policy(), context);
        mta_.set_reply(*outcome_->reply);
    } else {
        remove_forged();
        mark(verdict);
    }
    if (verdict.mode != policy::Mode::off || verdict.is_probe) {
        record(verdict, evidence);
    }
    return answer_of(verdict.action);
}

void Session::log_timeline() const {
    if (services_.log.writes(LogLevel::debug)) {
        services_.log.write(LogLevel::debug,
                            "event=timeline" + policy::logfmt("case", message_->case_id) +
                                timeline_log(timeline_rows(timeline_, lookups())));
    }
}

// To the log and to the journal.
void Session::record(const policy::Verdict& verdict, const policy::Evidence& evidence) {
    if (services_.journal == nullptr && !services_.log.writes(LogLevel::info)) {
        return; // an entry takes a copy of all that was found
    }
    policy::JournalEntry entry;
    entry.time = now();
    entry.host = services_.host_name;
    entry.case_id = message_->case_id;
    entry.queue_id = mta_.macro("i");
    entry.evidence = evidence;
    entry.verdict = verdict;
    if (outcome_->reply) {
        entry.reply = outcome_->reply->code;
    }
    if (!policy::asks_for_sender_domain(policy())) {
        entry.evidence.sender_domain.reset(); // for a hint alone: most mail has none to compare
    }
    if (services_.log.writes(LogLevel::info)) {
        services_.log.write(LogLevel::info, policy::log_line(entry));
    }
    log_timeline();
    const bool is_mail = evidence.phase >= policy::Phase::mail && !verdict.is_probe;
    if (services_.journal != nullptr && is_mail) {
        services_.journal->write(std::move(entry));
    }
}

// Before ours are inserted.
void Session::remove_forged() {
    if (message_ && removes_fields()) {
        message_->forged.remove(mta_);
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
    mta_.insert_header(policy::results_field_name,
                       policy::authentication_results(authserv_id(), evidence_));
}

void Session::abort() {
    has_failed_ = false;
    forget_message();
}

void Session::forget_message() {
    message_.reset();
    evidence_ = policy::of_connection(std::move(evidence_));
}

// Nothing is known of the message, so the modes that never refuse let it pass, and the others ask
// for it again.
Answer Session::end_in_trouble() {
    const Answer answer = answer_in_trouble();
    if (answer == Answer::proceed) {
        remove_forged();
    } else {
        mta_.set_reply(cannot_judge);
    }
    return answer;
}

Answer Session::answer_in_trouble() const {
    return answer_of(policy::action_in_trouble(evidence_, policy()));
}

const std::vector<verify::Lookups::Used>& Session::lookups() const {
    static const std::vector<verify::Lookups::Used> none;
    return message_ ? message_->lookups.used() : none;
}

} // namespace milter
