// What mends a fault, in words that a postmaster can send on.
#pragma once

#include "policy/evidence.hpp"
#include "policy/rules.hpp"
#include "policy/sender_kind.hpp"

#include <span>
#include <string>
#include <vector>

namespace policy {

// What to publish, or to do, one line each; records as a zone file has them. `clients` are some of
// the addresses with this fault, the first of them that of `evidence`. Whoever does it to the
// letter loses no other mail, and authorises nobody: where the host may be a stranger's, it says
// whose it has to be. It takes the usual requirements. Printable ASCII.
std::vector<std::string> remedy_for(const Evidence& evidence,
                                    Reason reason,
                                    SenderKind kind,
                                    std::span<const Address> clients);

// The same for the sender, who reads it: nothing is said as if the client were ours, nor what we
// could do ourselves, and what meets these `requirements`.
std::vector<std::string> remedy_for_sender(const Evidence& evidence,
                                           Reason reason,
                                           const Requirements& requirements,
                                           std::span<const Address> clients);

// Whether DNS says that the client is a host of the sender's domain: SPF of it passes, by a record
// that does not let everybody pass, or a reverse name that leads back is in it. A domain's mail
// from any other host may be forged.
bool is_host_of_sender(const Evidence& evidence);

} // namespace policy
