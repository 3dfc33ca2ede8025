// The policy as values: what is asked of whom, how far it goes and what is answered.
// Profiles are resolved when the configuration is read, so that decide() meets no names.
#pragma once

#include "policy/address.hpp"
#include "policy/recipient_pattern.hpp"
#include "policy/selector.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace policy {

// How far a stage goes, mildest first (sixgate.toml(5), "mode").
enum class Mode : std::uint8_t { off, observe, tag, soft, enforce, closed };

enum class Profile : std::uint8_t { rfc7372, gmail, eop, mx6, fallback, terse };
inline constexpr auto all_profiles = std::to_array<Profile>({Profile::rfc7372,
                                                             Profile::gmail,
                                                             Profile::eop,
                                                             Profile::mx6,
                                                             Profile::fallback,
                                                             Profile::terse});

enum class ReverseName : std::uint8_t { confirmed, present, any };
enum class Authentication : std::uint8_t {
    spf_or_dkim,
    spf_and_dkim,
    aligned, // by a domain of the organization of the From: field's
    any
};
enum class SenderDomain : std::uint8_t { reachable, any };
enum class OnTemperror : std::uint8_t { tempfail, accept };
enum class NullReversePath : std::uint8_t {
    helo_name, // a HELO name that iprev confirmed authenticates a bounce, as an SPF pass would
    strict     // only SPF of the HELO name or DKIM do
};

// When a closed stage says so.
enum class ClosedAt : std::uint8_t {
    rcpt, // to each recipient
    helo  // with 421, for a listener that is MX and nothing else
};

// What a later recipient gets whose stage could end in another answer than the first one's.
enum class MixedRecipients : std::uint8_t {
    split,    // 452: it comes in a transaction of its own
    strictest // nothing: the strictest stage applies to all
};

// The one clause of the policy that spoke.
enum class Reason : std::uint8_t {
    reverse_name_missing,
    reverse_name_mismatch,
    reverse_name_temperror,
    unauthenticated,
    unaligned,                // something passes, and nothing of the author's organization
    authentication_temperror, // SPF could not be looked up
    dkim_temperror,           // SPF could, and a DKIM key that might help could not
    sender_domain_unreachable,
    sender_domain_null_mx,
    sender_domain_temperror,
    closed
};
inline constexpr auto all_reasons = std::to_array<Reason>({Reason::reverse_name_missing,
                                                           Reason::reverse_name_mismatch,
                                                           Reason::reverse_name_temperror,
                                                           Reason::unauthenticated,
                                                           Reason::unaligned,
                                                           Reason::authentication_temperror,
                                                           Reason::dkim_temperror,
                                                           Reason::sender_domain_unreachable,
                                                           Reason::sender_domain_null_mx,
                                                           Reason::sender_domain_temperror,
                                                           Reason::closed});

// Whether a look-up that failed stands between, and nothing else.
bool is_temperror(Reason reason);

std::string_view to_string(Mode mode);
std::string_view to_string(Profile profile);
std::string_view to_string(Reason reason);
std::optional<Mode> mode_from(std::string_view word);
std::optional<Profile> profile_from(std::string_view word);
std::optional<Reason> reason_from(std::string_view word);

// What a soft stage becomes for a sender whose grace is used up.
enum class AfterGrace : std::uint8_t { enforce, tag };

// What a sender has in a soft stage; the stage hardens when both are used up.
struct Grace {
    std::uint64_t attempts = 3;
    std::chrono::milliseconds period = std::chrono::days{7}; // from the first of them
    AfterGrace then = AfterGrace::enforce;

    friend bool operator==(const Grace&, const Grace&) = default;
};

// What the policy asks of a message.
struct Requirements {
    ReverseName reverse_name = ReverseName::confirmed;
    Authentication authentication = Authentication::spf_or_dkim;
    SenderDomain sender_domain = SenderDomain::any;
    OnTemperror on_temperror = OnTemperror::tempfail;
    NullReversePath null_reverse_path = NullReversePath::helo_name;
    bool count_wide_spf = true;

    friend bool operator==(const Requirements&, const Requirements&) = default;
};

// RFC 5321 section 4.2 and RFC 3463: "450 4.7.25". The classes of the two always agree.
struct ReplyCode {
    unsigned code = 0;
    std::string enhanced_status;

    // Empty unless it is a 4yz or 5yz code and an enhanced status of the same class.
    static std::optional<ReplyCode> parse(std::string_view text);
    std::string to_string() const;

    bool is_permanent() const { return code >= 500; }

    friend bool operator==(const ReplyCode&, const ReplyCode&) = default;
};

// What one reason answers. The first line of the text stands alone; see placeholders in reply.hpp.
struct ReplyTemplate {
    ReplyCode soft;
    ReplyCode enforce;
    std::vector<std::string> text;

    friend bool operator==(const ReplyTemplate&, const ReplyTemplate&) = default;
};

struct ReplyTable {
    std::array<ReplyTemplate, all_reasons.size()> rows; // by Reason
    bool has_diagnostics = true; // whether Authentication-Results follow the text

    const ReplyTemplate& operator[](Reason reason) const {
        return rows[static_cast<std::size_t>(reason)];
    }

    ReplyTemplate& operator[](Reason reason) { return rows[static_cast<std::size_t>(reason)]; }

    friend bool operator==(const ReplyTable&, const ReplyTable&) = default;
};

// What a profile stands for before any key beside it overrides.
Requirements requirements_of(Profile profile);
ReplyTable replies_of(Profile profile);

struct Stage {
    std::string name = "default";
    Selector selector; // without parts it selects everything
    Mode mode = Mode::observe;
    ClosedAt closed_at = ClosedAt::rcpt;
    Requirements requirements;
    ReplyTable replies = replies_of(Profile::rfc7372);
    std::string help_url;         // may hold placeholders: help_address(); empty: none is told
    std::optional<Grace> grace{}; // of a soft stage; empty: it stays soft
};

struct Policy {
    std::vector<Prefix> exempt_networks;
    std::vector<RecipientPattern> exempt_recipients{{"postmaster", "*"}, {"abuse", "*"}};
    std::vector<Stage> stages{Stage{}}; // the first that selects applies; the last selects all
    MixedRecipients mixed_recipients = MixedRecipients::split;
    std::vector<RecipientPattern> probe_recipients;
};

Mode mode_after(const Grace& grace);

// Whether any stage has this mode, whoever it selects, or comes to have it for some senders.
bool has_mode(const Policy& policy, Mode mode);

} // namespace policy
