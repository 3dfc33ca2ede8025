// What follows from evidence and policy.
#pragma once

#include "policy/rules.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace policy {

enum class Action : std::uint8_t { accept, tempfail, reject };

// Why a client is never judged (DESIGN section 3), or judged and not refused.
enum class Exemption : std::uint8_t {
    ipv4,
    local,         // loopback, link-local, or no address at all
    network,       // [exempt] networks
    authenticated, // SMTP AUTH
    recipients     // judged and journalled, not refused: goes only to [exempt] recipients
};

std::string_view to_string(Action action);
std::string_view to_string(Exemption exemption);
std::optional<Action> action_from(std::string_view word);
std::optional<Exemption> exemption_from(std::string_view word);

struct Verdict {
    Action action = Action::accept;
    std::optional<Reason> reason{}; // empty: nothing falls short, or nothing was judged
    std::optional<Exemption> exemption{};
    std::string stage{}; // the name of the stage that applied; empty where none did
    Mode mode = Mode::off;
    bool is_probe = false; // the rest is on real mail of the same sender, but for the action

    // What the same message would have met had the stage gone further.
    Action would_soft = Action::accept;
    Action would_enforce = Action::accept;

    friend bool operator==(const Verdict&, const Verdict&) = default;
};

} // namespace policy
