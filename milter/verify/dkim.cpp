#include "milter/verify/dkim.hpp"

#include "milter/verify/dkim_body.hpp"
#include "milter/verify/dkim_engine.hpp"
#include "milter/verify/dkim_key.hpp"
#include "milter/verify/dkim_signature.hpp"
#include "milter/verify/domain.hpp"
#include "policy/ascii.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace verify {

namespace {

using policy::DkimResult;

// The work that a stranger can ask for is bounded. Postfix and Sendmail let smaller headers pass.
constexpr std::size_t most_signatures = 10;
constexpr std::size_t most_fields = 2000;
constexpr std::size_t largest_header = std::size_t{1} << 20;

constexpr std::size_t usual_header = 4096;

// Relaxed canonicalization keeps a word in memory until white space ends it.
constexpr std::size_t longest_word = std::size_t{1} << 20;
constexpr std::size_t piece_size = std::size_t{1} << 16;

// As libopendkim wants a field. A milter gets folds as LF.
void append_with_crlf(std::string& text, std::string_view name, std::string_view value) {
    text.append(name).append(1, ':');
    while (!value.empty()) {
        const auto line_end = std::min(value.find('\n'), value.size());
        text.append(value.substr(0, line_end));
        if (line_end == value.size()) {
            break;
        }
        text.append(text.ends_with('\r') ? "\n" : "\r\n");
        value.remove_prefix(line_end + 1);
    }
}

policy::DkimSignature report_on(const TagList& tags) {
    policy::DkimSignature report;
    report.sdid = to_a_labels(tags.value_of("d"));
    report.auid = tags.value_of("i");
    report.selector = tags.value_of("s");
    report.algorithm = tags.value_of("a");
    report.signature = tags.value_of("b");
    return report;
}

struct Signature {
    SignatureField field;
    policy::DkimSignature report;
    bool is_open = true; // nothing has decided on it yet

    void decide(DkimResult result, std::string problem) {
        report.result = result;
        report.problem = std::move(problem);
        is_open = false;
    }

    void decide(EngineVerdict verdict) {
        report.key_bits = verdict.key_bits;
        decide(verdict.result, std::move(verdict.problem));
    }
};

// The key record of an open signature. Decides on the signature where there is none.
std::optional<std::string> record_for(Signature& signature, Lookups& lookups) {
    if (!signature.is_open) {
        return std::nullopt;
    }
    const auto question = signature.field.key_question();
    auto key = read_key(question, lookups.lookup(question), signature.report.algorithm);
    if (!key) {
        signature.decide(key.error().result, std::move(key.error().problem));
        return std::nullopt;
    }
    signature.report.is_testing = key->is_testing;
    return std::move(key->record);
}

} // namespace

class DkimVerifier::Message {
public:
    void header(std::string_view name, std::string_view value);
    void end_of_header(Lookups& lookups);
    void body(std::string_view octets);
    std::vector<policy::DkimSignature> end_of_message(Lookups& lookups);

    bool needs_body() const { return engine_.has_value(); }

private:
    void note_size(std::string_view name, std::string_view value);
    bool add_signature(std::string_view value);
    bool signs_what_is_withheld(const Signature& signature) const;
    std::vector<std::string_view> fields() const;
    void start_engine();
    void add_piece(std::string_view octets);
    void end_body();
    void judge(Lookups& lookups);
    std::string weakness_of(const Signature& signature) const;
    void decide_all_open(DkimResult result, const std::string& problem);

    bool is_any_open() const { return std::ranges::any_of(signatures_, &Signature::is_open); }

    // Until the end of the header.
    std::string header_text_; // for libopendkim: "Name:value" and the next without an end between
    std::vector<std::size_t> field_ends_; // in it
    std::size_t field_count_ = 0;
    std::size_t header_size_ = 0;
    std::string header_problem_;
    bool is_header_over_ = false;

    std::size_t from_count_ = 0;
    bool is_one_withheld_ = false; // libopendkim does not see every DKIM-Signature field
    std::vector<Signature> signatures_;
    std::vector<std::size_t> in_engine_; // which of them libopendkim has, in its order

    // Of the body; the engine is there while a signature is open.
    std::optional<DkimEngine> engine_;
    LastWord last_word_;
    BareOctets bare_octets_;
    std::string last_octets_; // at most two
    bool has_length_limit_ = false;
    CanonicalLength simple_length_{BodyCanonicalization::simple};
    CanonicalLength relaxed_length_{BodyCanonicalization::relaxed};
};

// --- Header ---------------------------------------------------------------------------------

void DkimVerifier::Message::header(std::string_view field_name, std::string_view value) {
    const auto name = policy::field_name(field_name);
    if (is_header_over_ || name.empty()) {
        return;
    }
    note_size(name, value);
    from_count_ += policy::same_name(name, "From") ? 1U : 0U;
    const bool is_signature = policy::same_name(name, "DKIM-Signature");
    const bool is_for_engine = !is_signature || add_signature(value);
    if (is_for_engine && header_problem_.empty()) {
        header_text_.reserve(usual_header);
        append_with_crlf(header_text_, field_name, value);
        field_ends_.push_back(header_text_.size());
    }
}

void DkimVerifier::Message::note_size(std::string_view name, std::string_view value) {
    header_size_ += name.size() + value.size();
    ++field_count_;
    if (field_count_ > most_fields || header_size_ > largest_header) {
        header_problem_ = "the header is too large";
    } else if (value.find('\0') != std::string_view::npos) {
        header_problem_ = "a header field has a NUL"; // where relaxed canonicalization would end
    }
}

// Whether libopendkim is to see the field: it trips over some that cannot be evaluated, and would
// do all the work for any number of them.
bool DkimVerifier::Message::add_signature(std::string_view value) {
    if (signatures_.size() == most_signatures) {
        is_one_withheld_ = true;
        return false;
    }
    auto field = read_signature(value);
    Signature signature{field, report_on(field.tags)};
    if (!field.problem.empty()) {
        is_one_withheld_ = true;
        signature.decide(DkimResult::permerror, field.problem);
    } else if (header_problem_.empty()) {
        in_engine_.push_back(signatures_.size());
    }
    signatures_.push_back(std::move(signature));
    return field.problem.empty();
}

void DkimVerifier::Message::end_of_header(Lookups& lookups) {
    if (is_header_over_) {
        return;
    }
    is_header_over_ = true;
    if (!header_problem_.empty()) {
        decide_all_open(DkimResult::permerror, header_problem_);
    }
    for (auto& signature : signatures_) {
        if (signature.is_open && signs_what_is_withheld(signature)) {
            signature.decide(DkimResult::permerror,
                             "it signs DKIM-Signature fields that are not evaluated");
        }
    }
    if (is_any_open()) {
        start_engine();
    }
    header_text_ = {};
    field_ends_ = {};
    for (const auto& signature : signatures_) {
        if (signature.is_open) {
            lookups.start(signature.field.key_question());
            has_length_limit_ = has_length_limit_ || signature.field.limit();
        }
    }
}

bool DkimVerifier::Message::signs_what_is_withheld(const Signature& signature) const {
    return is_one_withheld_ && signature.field.times_signed("DKIM-Signature") > 0;
}

std::vector<std::string_view> DkimVerifier::Message::fields() const {
    std::vector<std::string_view> fields;
    fields.reserve(field_ends_.size());
    std::size_t begin = 0;
    for (const std::size_t end : field_ends_) {
        fields.push_back(std::string_view{header_text_}.substr(begin, end - begin));
        begin = end;
    }
    return fields;
}

void DkimVerifier::Message::start_engine() {
    engine_.emplace();
    auto verdicts = engine_->header(fields());
    if (!verdicts || verdicts->size() != in_engine_.size()) {
        decide_all_open(DkimResult::temperror,
                        verdicts ? "libopendkim counts other signatures" : verdicts.error());
    } else {
        for (std::size_t i = 0; i < in_engine_.size(); ++i) {
            auto& signature = signatures_[in_engine_[i]];
            if (auto& verdict = (*verdicts)[i]; verdict && signature.is_open) {
                signature.decide(std::move(*verdict));
            }
        }
    }
    if (!is_any_open()) {
        engine_.reset();
    }
}

// --- Body -----------------------------------------------------------------------------------

void DkimVerifier::Message::body(std::string_view octets) {
    while (engine_ && !octets.empty()) {
        add_piece(octets.substr(0, piece_size));
        octets.remove_prefix(std::min(octets.size(), piece_size));
    }
}

void DkimVerifier::Message::add_piece(std::string_view octets) {
    last_word_.add(octets);
    if (last_word_.longest() > longest_word) {
        decide_all_open(DkimResult::permerror, "a line of the body is too long");
        engine_.reset();
        return;
    }
    bare_octets_.add(octets);
    engine_->body(octets);
    if (has_length_limit_) {
        simple_length_.add(octets);
        relaxed_length_.add(octets);
    }
    last_octets_ += octets.size() > 2 ? octets.substr(octets.size() - 2) : octets;
    last_octets_.erase(0, last_octets_.size() > 2 ? last_octets_.size() - 2 : 0);
}

// RFC 6376 section 3.4.3: a CRLF that is missing at the end is added, under relaxed as well.
void DkimVerifier::Message::end_body() {
    if (!last_octets_.empty() && last_octets_ != "\r\n") {
        add_piece("\r\n");
    }
}

// --- End ------------------------------------------------------------------------------------

std::vector<policy::DkimSignature> DkimVerifier::Message::end_of_message(Lookups& lookups) {
    end_of_header(lookups);
    end_body();
    if (engine_) {
        judge(lookups);
    }
    std::vector<policy::DkimSignature> reports;
    reports.reserve(signatures_.size());
    for (auto& signature : signatures_) {
        reports.push_back(std::move(signature.report));
    }
    return reports;
}

void DkimVerifier::Message::judge(Lookups& lookups) {
    std::vector<std::optional<std::string>> records;
    for (const auto i : in_engine_) {
        records.push_back(record_for(signatures_[i], lookups));
    }
    auto verdicts = engine_->finish(records);
    for (std::size_t i = 0; i < in_engine_.size() && i < verdicts.size(); ++i) {
        auto& signature = signatures_[in_engine_[i]];
        if (!signature.is_open) {
            continue;
        }
        signature.decide(std::move(verdicts[i]));
        if (bare_octets_.spoil(signature.field.body_canonicalization())) {
            signature.decide(DkimResult::permerror, "the body has a CR or an LF that ends no line");
        }
        if (signature.report.result != DkimResult::pass) {
            continue;
        }
        // RFC 8601 section 2.7.1: what readers are to trust is not there.
        if (from_count_ == 0) {
            signature.decide(DkimResult::permerror, "the message has no From field");
            continue;
        }
        if (auto weakness = weakness_of(signature); !weakness.empty()) {
            signature.decide(DkimResult::policy, std::move(weakness));
        }
    }
}

// Why a signature that passes does not count; empty where it does.
std::string DkimVerifier::Message::weakness_of(const Signature& signature) const {
    // RFC 6376 section 8.15: readers are shown the field that was added.
    if (from_count_ > signature.field.times_signed("From")) {
        return "the message has more From fields than were signed";
    }
    // RFC 8301 section 3.1.
    if (policy::same_name(signature.report.algorithm, "rsa-sha1")) {
        return "rsa-sha1 is too weak";
    }
    const bool is_relaxed =
        signature.field.body_canonicalization() == BodyCanonicalization::relaxed;
    const auto& length = is_relaxed ? relaxed_length_ : simple_length_;
    if (const auto limit = signature.field.limit(); limit && *limit < length.octets()) {
        return "only the first " + std::to_string(*limit) + " octets of the body were signed (l=)";
    }
    return {};
}

void DkimVerifier::Message::decide_all_open(DkimResult result, const std::string& problem) {
    for (auto& signature : signatures_) {
        if (signature.is_open) {
            signature.decide(result, problem);
        }
    }
}

// --- DkimVerifier ---------------------------------------------------------------------------

DkimVerifier::DkimVerifier() : message_{std::make_unique<Message>()} {}

DkimVerifier::DkimVerifier(DkimVerifier&&) noexcept = default;
DkimVerifier& DkimVerifier::operator=(DkimVerifier&&) noexcept = default;
DkimVerifier::~DkimVerifier() = default;

void DkimVerifier::header(std::string_view name, std::string_view value) {
    message_->header(name, value);
}

void DkimVerifier::end_of_header(Lookups& lookups) {
    message_->end_of_header(lookups);
}

bool DkimVerifier::needs_body() const {
    return message_->needs_body();
}

void DkimVerifier::body(std::span<const unsigned char> octets) {
    message_->body({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

std::vector<policy::DkimSignature> DkimVerifier::end_of_message(Lookups& lookups) {
    auto reports = message_->end_of_message(lookups);
    message_ = std::make_unique<Message>();
    return reports;
}

} // namespace verify
