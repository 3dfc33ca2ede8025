#include "milter/verify/spf.hpp"

#include "milter/verify/domain.hpp"
#include "milter/verify/spf_ahead.hpp"
#include "milter/verify/spf_macro.hpp"
#include "milter/verify/spf_mechanism.hpp"
#include "milter/verify/spf_name.hpp"
#include "milter/verify/spf_record.hpp"
#include "policy/ascii.hpp"
#include "policy/mailbox.hpp"

#include <tl/expected.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace verify {

namespace {

using policy::SpfEvidence;
using policy::SpfResult;

// Section 4.6.4.
constexpr unsigned most_querying_terms = 10;
constexpr unsigned most_void_terms = 2;

constexpr unsigned most_wide_length = 16; // shorter prefixes are wide
// RFC 5321 section 4.5.3.1 knows no longer ones, and MTAs do. Macros repeat and split them.
constexpr std::size_t longest_local_part = 256;
constexpr std::size_t longest_helo = 255;
constexpr std::size_t longest_explanation = 1000;
constexpr std::size_t longest_shown_term = 80; // of a problem, which may end up in a reply
constexpr std::size_t longest_shown_name = 255;

// --- Names ------------------------------------------------------------------------------------

// What an envelope may name. Bounce domains with an underscore exist; hosts are not called so.
bool is_sender_domain(std::string_view name, SpfIdentity identity) {
    const bool has_underscore = name.find('_') != std::string_view::npos;
    return is_plain_name(name) && (identity == SpfIdentity::mail_from || !has_underscore);
}

// As strangers supplied it: whoever shows a problem makes it printable.
std::string shortened(std::string_view text, std::size_t longest = longest_shown_name) {
    return std::string{text.substr(0, longest)} + (text.size() > longest ? "..." : "");
}

std::string checked_domain(const SpfRequest& request) {
    return to_a_labels(request.domain);
}

// Section 4.3: postmaster where there is none.
std::string local_part_of(const SpfRequest& request) {
    return request.local_part.empty() ? "postmaster" : request.local_part;
}

std::string no_domain(const SpfRequest& request, const std::string& domain) {
    if (!domain.empty()) {
        return shortened(domain) + " is not a domain name";
    }
    // A mailbox that could be read and has no domain has a local part.
    const bool is_read = request.identity == SpfIdentity::helo || !request.local_part.empty();
    return is_read ? "there is no domain to check" : "MAIL FROM can be read in more than one way";
}

// --- check_host() -----------------------------------------------------------------------------

// The end of an evaluation.
struct Outcome {
    SpfResult result = SpfResult::neutral;
    std::string problem;
    std::string mechanism;
    bool is_wide = false;
    bool has_ip4 = false;                      // of the domain's record, without includes
    bool has_ip6 = false;                      // likewise
    std::optional<SpfMacroString> explanation; // exp= of the record that spoke
    std::string domain;                        // whose record that is
};

Outcome trouble(SpfResult result, std::string problem) {
    Outcome outcome;
    outcome.result = result;
    outcome.problem = std::move(problem);
    return outcome;
}

Outcome no_policy_is_an_error(Outcome outcome) {
    if (outcome.result == SpfResult::none) {
        outcome.result = SpfResult::permerror;
    }
    return outcome;
}

std::string term_of(const std::string& domain, std::string_view term) {
    return '"' + shortened(term, longest_shown_term) + "\" of " + shortened(domain);
}

bool is_wide(const SpfDirective& directive, const policy::Address& client) {
    switch (directive.mechanism) {
    case SpfMechanism::all: return true;
    case SpfMechanism::ip4: return directive.network.length < most_wide_length + 96;
    case SpfMechanism::ip6: return directive.network.length < most_wide_length;
    case SpfMechanism::a:
    case SpfMechanism::mx:
        return (client.is_ipv4() ? directive.ip4_length : directive.ip6_length) < most_wide_length;
    case SpfMechanism::ptr:
    case SpfMechanism::exists:
    case SpfMechanism::include: return false;
    }
    return false;
}

Outcome matched(const SpfDirective& directive, bool is_by_wide_term) {
    Outcome outcome;
    outcome.result = directive.qualifier;
    outcome.mechanism = directive.text;
    outcome.is_wide = is_by_wide_term && directive.qualifier == SpfResult::pass;
    return outcome;
}

bool has_mechanism(const SpfRecord& record, SpfMechanism mechanism) {
    return std::ranges::find(record.directives, mechanism, &SpfDirective::mechanism) !=
           record.directives.end();
}

// One evaluation with its limits, which hold across includes and redirects.
class Evaluation {
public:
    Evaluation(Lookups& lookups, const SpfRequest& request)
        : lookups_{lookups}, client_{request.client} {
        values_.client = request.client;
        values_.local_part = local_part_of(request).substr(0, longest_local_part);
        values_.sender_domain = checked_domain(request);
        values_.helo = request.helo.substr(0, longest_helo);
        values_.receiver = request.receiver.empty() ? "unknown" : request.receiver;
    }

    // NOLINTNEXTLINE(misc-no-recursion): include and redirect; the limit on terms ends it
    Outcome check_host(const std::string& domain) {
        const auto record = record_of(domain);
        if (!record) {
            return record.error();
        }
        Outcome outcome = evaluate(*record, domain);
        outcome.has_ip4 = outcome.has_ip4 || has_mechanism(*record, SpfMechanism::ip4);
        outcome.has_ip6 = outcome.has_ip6 || has_mechanism(*record, SpfMechanism::ip6);
        return outcome;
    }

    // Section 6.2. Whatever is wrong with it, there is none.
    std::string explanation_for(const Outcome& outcome) {
        if (!outcome.explanation) {
            return {};
        }
        const auto name = target_name(*outcome.explanation, outcome.domain);
        if (!is_domain_name(name)) {
            return {};
        }
        const auto& answer = lookups_.lookup({presentation_form(name), RecordType::txt});
        if (!answer || answer->texts.size() != 1) {
            return {};
        }
        const auto text = parse_spf_macros(answer->texts.front(), SpfMacroLetters::all);
        if (!text) {
            return {};
        }
        auto expanded = expand(*text, values_for(*text, outcome.domain), longest_explanation);
        return std::ranges::all_of(expanded, policy::is_printable) ? expanded : std::string{};
    }

private:
    // Sections 4.3 to 4.5.
    tl::expected<SpfRecord, Outcome> record_of(const std::string& domain) {
        const auto shown = shortened(domain);
        if (!is_domain_name(domain)) {
            return tl::unexpected{trouble(SpfResult::none, shown + " is not a domain name")};
        }
        const auto& answer = lookups_.lookup({presentation_form(domain), RecordType::txt});
        if (!answer) {
            return tl::unexpected{no_record(shown, answer.error())};
        }
        const auto records = spf_records_among(answer->texts);
        if (records.empty()) {
            return tl::unexpected{trouble(SpfResult::none, shown + " has no SPF record")};
        }
        if (records.size() > 1) {
            return tl::unexpected{
                trouble(SpfResult::permerror, shown + " has several SPF records")};
        }
        return parse_spf_record(records.front()).map_error([&](const SpfSyntaxError& error) {
            const auto where = term_of(domain, error.term);
            return trouble(SpfResult::permerror, where + ": " + std::string{error.reason});
        });
    }

    static Outcome no_record(const std::string& shown, LookupFailure failure) {
        if (is_temporary(failure)) {
            return trouble(SpfResult::temperror,
                           "TXT " + shown + ": " + std::string{to_string(failure)});
        }
        return trouble(SpfResult::none,
                       shown + (failure == LookupFailure::no_such_domain ? " does not exist"
                                                                         : " has no SPF record"));
    }

    // NOLINTNEXTLINE(misc-no-recursion): as above
    Outcome evaluate(const SpfRecord& record, const std::string& domain) {
        for (const auto& directive : record.directives) {
            if (auto outcome = evaluate(directive, domain)) {
                outcome->explanation = record.explanation;
                outcome->domain = domain;
                return *std::move(outcome);
            }
        }
        return record.redirect ? redirect(*record.redirect, domain) : Outcome{};
    }

    // Empty where it does not match.
    // NOLINTNEXTLINE(misc-no-recursion): as above
    std::optional<Outcome> evaluate(const SpfDirective& directive, const std::string& domain) {
        if (needs_dns(directive.mechanism) && ++querying_terms_ > most_querying_terms) {
            return too_many_terms(directive.text, domain);
        }
        if (directive.mechanism == SpfMechanism::all) {
            return matched(directive, true);
        }
        if (directive.mechanism == SpfMechanism::include) {
            return include(directive, domain);
        }
        return evaluate_mechanism(directive, domain);
    }

    std::optional<Outcome> evaluate_mechanism(const SpfDirective& directive,
                                              const std::string& domain) {
        const auto target = directive.target ? target_name(*directive.target, domain) : domain;
        const auto found = match_spf_mechanism(lookups_, client_, directive, target);
        const auto where = [&] { return term_of(domain, directive.text); };
        switch (found.match) {
        case SpfMatch::match: return matched(directive, is_wide(directive, client_));
        case SpfMatch::temperror:
            return trouble(SpfResult::temperror, where() + ": " + found.problem);
        case SpfMatch::permerror:
            return trouble(SpfResult::permerror, where() + ": " + found.problem);
        case SpfMatch::no_match: break;
        }
        if (found.is_void && ++void_terms_ > most_void_terms) {
            return trouble(SpfResult::permerror,
                           where() + ": more than 2 terms found nothing in DNS");
        }
        return std::nullopt;
    }

    // Section 5.2.
    // NOLINTNEXTLINE(misc-no-recursion): as above
    std::optional<Outcome> include(const SpfDirective& directive, const std::string& domain) {
        auto inner = check_host(target_name(*directive.target, domain));
        switch (inner.result) {
        case SpfResult::pass: return matched(directive, inner.is_wide);
        case SpfResult::fail:
        case SpfResult::softfail:
        case SpfResult::neutral: return std::nullopt;
        case SpfResult::policy: // never a result of check_host()
        case SpfResult::temperror:
        case SpfResult::permerror:
        case SpfResult::none: break;
        }
        return no_policy_is_an_error(std::move(inner));
    }

    // Section 6.1.
    // NOLINTNEXTLINE(misc-no-recursion): as above
    Outcome redirect(const SpfMacroString& target, const std::string& domain) {
        if (++querying_terms_ > most_querying_terms) {
            return too_many_terms("redirect", domain);
        }
        return no_policy_is_an_error(check_host(target_name(target, domain)));
    }

    static Outcome too_many_terms(std::string_view term, const std::string& domain) {
        return trouble(SpfResult::permerror,
                       term_of(domain, term) + ": more than 10 terms ask DNS");
    }

    std::string target_name(const SpfMacroString& target, const std::string& domain) {
        return expand_domain(target, values_for(target, domain));
    }

    SpfMacroValues values_for(const SpfMacroString& text, const std::string& domain) {
        auto values = values_;
        values.domain = domain;
        values.time = std::chrono::system_clock::now();
        if (uses_letter(text, 'p')) {
            values.validated_name = validated_name(lookups_, client_, domain);
        }
        return values;
    }

    Lookups& lookups_;
    policy::Address client_;
    SpfMacroValues values_; // but for d, p and t
    unsigned querying_terms_ = 0;
    unsigned void_terms_ = 0;
};

} // namespace

SpfRequest spf_request_for_mail_from(const policy::Address& client,
                                     std::string_view helo,
                                     std::string_view mail_from,
                                     std::string_view receiver) {
    const auto mailbox = policy::Mailbox::parse(mail_from).value_or(policy::Mailbox{});
    return {client,
            std::string{helo},
            std::string{mailbox.local_part},
            std::string{mailbox.domain},
            std::string{receiver},
            SpfIdentity::mail_from};
}

SpfRequest spf_request_for_helo(const policy::Address& client,
                                std::string_view helo,
                                std::string_view receiver) {
    return {client,
            std::string{helo},
            "postmaster",
            std::string{helo},
            std::string{receiver},
            SpfIdentity::helo};
}

void start_spf(Resolver& resolver, const SpfRequest& request) {
    const auto domain = checked_domain(request);
    if (is_sender_domain(domain, request.identity)) {
        ask_spf_ahead(resolver, domain);
    }
}

SpfEvidence check_spf(Lookups& lookups, const SpfRequest& request) {
    SpfEvidence evidence;
    evidence.domain = checked_domain(request);
    if (!is_sender_domain(evidence.domain, request.identity)) {
        evidence.problem = no_domain(request, evidence.domain);
        return evidence;
    }
    Evaluation evaluation{lookups, request};
    const auto outcome = evaluation.check_host(evidence.domain);
    evidence.result = outcome.result;
    evidence.mechanism = outcome.mechanism;
    evidence.problem = outcome.problem;
    evidence.is_wide = outcome.is_wide;
    evidence.lists_only_ipv4 = outcome.has_ip4 && !outcome.has_ip6;
    if (outcome.result == SpfResult::fail) {
        evidence.explanation = evaluation.explanation_for(outcome);
    }
    return evidence;
}

} // namespace verify
