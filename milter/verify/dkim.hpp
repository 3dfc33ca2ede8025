// DKIM signatures of one message as it streams by: RFC 6376, RFC 8301, RFC 8463.
#pragma once

#include "milter/verify/lookups.hpp"
#include "policy/evidence.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace verify {

// One per message, used by one thread at a time. The calls come in the order of the message; a
// message that breaks that order, or the grammar of a message, gives results, never an exception.
// Memory is bounded: a header of more than 1 MiB or 2,000 fields and a body with a word of more
// than 1 MiB are not evaluated, and each signature is permerror.
class DkimVerifier {
public:
    DkimVerifier();
    DkimVerifier(const DkimVerifier&) = delete;
    DkimVerifier& operator=(const DkimVerifier&) = delete;
    DkimVerifier(DkimVerifier&&) noexcept;
    DkimVerifier& operator=(DkimVerifier&&) noexcept;
    ~DkimVerifier();

    // `value` is all that follows the colon, with folds as LF or CRLF, leading space included.
    void header(std::string_view name, std::string_view value);

    // Starts the look-up of every key that will be needed. Does not block.
    void end_of_header(Lookups& lookups);

    // Whether a signature is left, after the header, that the body can decide on.
    bool needs_body() const;

    // Any piece of the body, with lines ended by CRLF. Nearly free where it is not needed.
    void body(std::span<const unsigned char> octets);

    // Blocks for the keys until the deadline of `lookups`. One entry a signature, in the order of
    // the fields, the first 10; empty where there is none. Afterwards the next message may come.
    std::vector<policy::DkimSignature> end_of_message(Lookups& lookups);

private:
    class Message;
    std::unique_ptr<Message> message_;
};

} // namespace verify
