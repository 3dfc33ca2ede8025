// The author's domain: whose name a message bears in its From field (RFC 5322 section 3.6.2).
//
// Parsers of others repair what is malformed, each in its own way, and so do mail programs: of
// "a@one@two" GMime 3, in its strict mode, sees one, and libopendkim two. A message must not be
// judged by one domain and show another. So this reads what has one reading, and repairs nothing.
#pragma once

#include <span>
#include <string>

namespace verify {

// The domain of the author, as A-labels, from the values of all From fields of a message as they
// were on the wire. Empty unless there is one field with one address, `Name <address>` or `address`
// alone, whose address policy::Mailbox::parse() reads. Names, comments around the address and
// encoded words may hold anything and count for nothing; octets of 8 bits are valid UTF-8
// (RFC 6532). A list, a group, a route, a comment inside the address, a second address or anything
// else beside the one is no author.
std::string author_domain(std::span<const std::string> from_fields);

} // namespace verify
