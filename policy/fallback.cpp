#include "policy/fallback.hpp"

#include "policy/ascii.hpp"
#include "policy/words.hpp"

namespace policy {

namespace {

constexpr auto recovery_words = std::to_array<Word<RecoveryKind>>({
    {RecoveryKind::ipv4, "ipv4"},
    {RecoveryKind::mended, "mended"},
    {RecoveryKind::let_through, "let_through"},
    {RecoveryKind::refused, "refused"},
});

} // namespace

std::string_view to_string(RecoveryKind kind) {
    return word_for(recovery_words, kind);
}

std::optional<RecoveryKind> recovery_kind_from(std::string_view word) {
    return value_of(recovery_words, word);
}

std::optional<SoftRefusal>
soft_refusal(const Evidence& evidence, const Verdict& verdict, Time now) {
    if (verdict.mode != Mode::soft || verdict.action == Action::accept || verdict.is_probe ||
        !evidence.client || is_temperror(verdict.reason.value())) {
        return std::nullopt;
    }
    return SoftRefusal{.first = now,
                       .reason = *verdict.reason,
                       .stage = verdict.stage,
                       .mail_from = evidence.mail_from,
                       .mail_from_domain = to_lower(evidence.mail_from_domain),
                       .recipient = {},
                       .network = network_of(*evidence.client).first()};
}

std::optional<RecoveryKind> recovery_by(const Verdict& verdict) {
    if (verdict.is_probe || verdict.action == Action::tempfail) {
        return std::nullopt;
    }
    if (verdict.exemption && verdict.exemption != Exemption::recipients) {
        return verdict.exemption == Exemption::ipv4 ? std::optional{RecoveryKind::ipv4}
                                                    : std::nullopt;
    }
    if (verdict.action == Action::reject) {
        return RecoveryKind::refused;
    }
    const bool is_judged = verdict.mode != Mode::off;
    return is_judged && !verdict.reason ? RecoveryKind::mended : RecoveryKind::let_through;
}

} // namespace policy
