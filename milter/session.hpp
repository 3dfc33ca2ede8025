// One SMTP connection and the message under way in it. Keeps the evidence as it comes in, calls
// decide() when an answer is due and does what the verdict says; nobody else does either.
// Used by one thread at a time.
#pragma once

#include "milter/config_store.hpp"
#include "milter/content_notes.hpp"
#include "milter/forged_fields.hpp"
#include "milter/gather.hpp"
#include "milter/log.hpp"
#include "milter/message_identity.hpp"
#include "milter/mta.hpp"
#include "milter/probe_limit.hpp"
#include "milter/store/fallback_watch.hpp"
#include "milter/store/grace_service.hpp"
#include "milter/store/journal_writer.hpp"
#include "milter/timeline.hpp"
#include "milter/verify/dkim.hpp"
#include "milter/verify/lookups.hpp"
#include "policy/evidence.hpp"
#include "policy/reply.hpp"
#include "policy/verdict.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace milter {

// What an event answers.
enum class Answer : std::uint8_t {
    proceed,
    accept, // of the connection: no event of it is wanted any more
    tempfail,
    reject
};

Answer answer_of(policy::Action action);

// What all sessions share. Outlives them.
struct Services {
    ConfigStore& configs;
    Log& log;
    std::string host_name;                    // stands in for an authserv_id that is not set
    store::JournalWriter* journal = nullptr;  // null: none is kept
    ProbeLimit* probe_limit = nullptr;        // null: there is none
    store::GraceService* grace = nullptr;     // null: every sender is new
    store::FallbackWatch* fallback = nullptr; // null: nothing is watched for
};

// What came of the message, for whoever explains it.
struct Outcome {
    policy::Verdict verdict;
    std::optional<policy::Reply> reply; // empty: the message goes on
};

class Session {
public:
    // The events before the end of the message at which the MTA waits for an answer (SMFIP_NR_HELO,
    // SMFIP_NR_RCPT).
    struct Answers {
        bool at_helo = true;
        bool at_rcpt = true;
    };

    Session(const Services& services, Mta& mta, Answers answers);

    // The events of libmilter, in SMTP's order; connect comes once. Any of the others may be
    // missing or come again. `client` is empty where there is no address.
    Answer connect(std::optional<policy::Address> client);
    Answer helo(std::string_view name);
    void mail(std::string_view reverse_path);
    Answer rcpt(std::string_view forward_path);
    // `value` is all that follows the colon, leading space included, folds as LF.
    void header(std::string_view name, std::string_view value);
    void end_of_header();
    void body(std::span<const unsigned char> octets);
    Answer end_of_message(); // blocks for DNS until [policy] deadline_ms
    void abort();

    // An event threw. What comes until the next MAIL, HELO or abort is not judged; the end of a
    // message answers as the mode says.
    void fail() noexcept { has_failed_ = true; }

    Answer answer_in_trouble() const;

    // Of the last message; nothing before an answer was due.
    const std::optional<Outcome>& outcome() const { return outcome_; }

    const policy::Evidence& evidence() const { return evidence_; }

    const std::vector<verify::Lookups::Used>& lookups() const;

    const Timeline& timeline() const { return timeline_; }

private:
    // What begins with MAIL and ends with the message.
    struct Message {
        Message(verify::Resolver& resolver, Mta& mta);

        std::string case_id;
        verify::Lookups lookups;
        std::optional<verify::DkimVerifier> dkim; // there where the message is checked
        bool has_begun = false;                   // the content has
        ForgedFields forged;
        ContentNotes notes;
        MessageIdentity identity; // told where somebody watches
    };

    const policy::Policy& policy() const { return setup_->config.policy; }

    std::string_view authserv_id() const;
    bool is_judged() const; // as far as is known yet, DNS will be asked
    bool removes_fields() const;
    void begin_message();
    void forget_message();
    Message& message();
    Message& begin_content();
    void note_probe();
    policy::Verdict decide_with_grace();
    bool is_watched() const;
    void watch(const policy::Verdict& verdict);
    Answer act_on(const policy::Verdict& verdict, const policy::Evidence& evidence);
    void record(const policy::Verdict& verdict, const policy::Evidence& evidence);
    void log_timeline() const;
    Answer end_in_trouble();
    void remove_forged();
    void mark(const policy::Verdict& verdict);

    const Services& services_;
    Mta& mta_;
    const Answers answers_;
    bool has_failed_ = false;
    std::shared_ptr<const Setup> setup_;
    policy::Evidence evidence_; // of the connection; since MAIL of the message, too
    std::optional<Message> message_;
    std::optional<Outcome> outcome_;
    EarlyQuestions early_;
    Timeline timeline_;
};

} // namespace milter
