// What a soft refusal led to: the message came back over IPv4, or mended, or was not seen again.
#pragma once

#include "policy/address.hpp"
#include "policy/evidence.hpp"
#include "policy/rules.hpp"
#include "policy/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace policy {

// How the same message reached its end again, for the same recipient.
enum class RecoveryKind : std::uint8_t {
    ipv4,
    mended,      // over IPv6, with nothing that falls short
    let_through, // over IPv6, short as before: by then the policy let it pass
    refused      // over IPv6, with a permanent refusal: it will not come again
};

std::string_view to_string(RecoveryKind kind);
std::optional<RecoveryKind> recovery_kind_from(std::string_view word);

struct Recovery {
    RecoveryKind kind = RecoveryKind::ipv4;
    Time time;

    friend bool operator==(const Recovery&, const Recovery&) = default;
};

// One message to one recipient.
struct SoftRefusal {
    Time first{};
    std::uint64_t attempts = 1; // refused so far
    Reason reason = Reason::closed;
    std::string stage{};
    std::string mail_from{};        // "" is the null path
    std::string mail_from_domain{}; // as A-labels in lower case
    std::string recipient{};
    Address network{}; // the first address of the client's /64
    std::optional<Recovery> recovery{};

    friend bool operator==(const SoftRefusal&, const SoftRefusal&) = default;
};

// What `verdict` refuses softly, a test aside, as it is remembered: without the addresses of the
// recipients. Empty where it does not: where only a temporary error stands between, the policy has
// refused nothing. Where the answer is a permanent code, as in mx6, the sender is asked to come
// over IPv4 all the same.
std::optional<SoftRefusal> soft_refusal(const Evidence& evidence, const Verdict& verdict, Time now);

// What a message that has reached its end is to its own earlier refusal. Empty where that stands
// open: it is put off once more, or comes from our own hosts or users.
std::optional<RecoveryKind> recovery_by(const Verdict& verdict);

} // namespace policy
