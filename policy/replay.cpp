#include "policy/replay.hpp"

#include "policy/decide.hpp"

namespace policy {

std::optional<Verdict> replayed(const JournalEntry& entry, const Policy& policy) {
    return decide(as_counted(entry.evidence, policy), policy);
}

} // namespace policy
