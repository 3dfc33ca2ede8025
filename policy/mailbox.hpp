// Addresses of the envelope (RFC 5321 section 4.1.2), as far as there is one way to read them.
//
// What is not well-formed is repaired by the MTA, and by each in its own way: mail for
// `postmaster@z<alice>` goes to alice. Whoever repairs it another way judges another address than
// the one that the mail is from or goes to. So what has no one reading is no address here.
#pragma once

#include <optional>
#include <string_view>

namespace policy {

// A part of the text that was parsed.
struct Mailbox {
    std::string_view local_part; // as written, with its quotes; Postfix takes an empty one, too
    std::string_view domain;     // as written but for a final dot; empty: none was given

    // "local-part@domain", or a local part that is not quoted alone. Of the local part, dots may
    // stand anywhere and octets be of 8 bits, as they do on the Internet. Of the domain, labels are
    // letters, digits, hyphens, underscores and octets of 8 bits; or it is an address in brackets.
    static std::optional<Mailbox> parse(std::string_view text);
};

// The mailbox in an argument of MAIL or RCPT: what stands in its brackets, where it has them, and
// behind its source route, which RFC 5321 appendix C says to ignore. Empty for the null path. An
// argument that cannot be read in one way is given back as it is, and Mailbox::parse() refuses it.
std::string_view mailbox_in(std::string_view argument);

} // namespace policy
