// One SPF mechanism at a time: libspf2 decides whether it matches.
//
// It sees a record of a single term and DNS through Lookups, and never a record that a stranger
// wrote: what it does with several terms, macros, limits and long records is not to be trusted.
#pragma once

#include "milter/verify/lookups.hpp"
#include "milter/verify/spf_record.hpp"
#include "policy/address.hpp"

#include <cstdint>
#include <string>

namespace verify {

enum class SpfMatch : std::uint8_t { match, no_match, temperror, permerror };

struct SpfMatchOutcome {
    SpfMatch match = SpfMatch::no_match;
    bool is_void = false; // section 4.6.4: what it asked DNS for is not there
    std::string problem;  // for temperror and permerror; printable

    friend bool operator==(const SpfMatchOutcome&, const SpfMatchOutcome&) = default;
};

// `directive` is neither all nor include; `target` is its <target-name>, as expanded. Blocks for
// DNS until the deadline of `lookups`.
SpfMatchOutcome match_spf_mechanism(Lookups& lookups,
                                    const policy::Address& client,
                                    const SpfDirective& directive,
                                    const std::string& target);

} // namespace verify
