#include "policy/fallback.hpp"

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

} // namespace policy
