// One DKIM-Signature field as it is written: RFC 6376 section 3.5. What is wrong with it before a
// key is asked for is found here, so that libopendkim sees only what it can be trusted with.
#pragma once

#include "milter/verify/dkim_body.hpp"
#include "milter/verify/dkim_tags.hpp"
#include "milter/verify/resolver.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace verify {

struct SignatureField {
    TagList tags;
    std::string problem; // why it cannot be evaluated; empty where it can

    Question key_question() const;              // selector._domainkey.sdid
    std::optional<std::uint64_t> limit() const; // l=, octets of the canonical body
    BodyCanonicalization body_canonicalization() const;
    std::size_t times_signed(std::string_view name) const; // in h=
};

// `value` is all that follows the colon. Never throws for what it is.
SignatureField read_signature(std::string_view value);

} // namespace verify
