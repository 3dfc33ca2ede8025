// Mail to a probe address ([probe] recipients): it is never delivered, and the refusal that the
// sender's own server reports is the result of the test.
#pragma once

#include "policy/evidence.hpp"
#include "policy/reply.hpp"
#include "policy/rules.hpp"
#include "policy/verdict.hpp"

#include <string>
#include <string_view>

namespace policy {

bool is_probe(const Policy& policy, std::string_view recipient);

// Where a sender can test its mail: the first of the addresses; empty where there is none.
std::string probe_address(const Policy& policy);

// Whether all of its recipients are probe addresses, and it is answered as a test: not to our own
// relays and hosts, which would make a bounce of it.
bool is_probe(const Policy& policy, const Evidence& evidence);

// `verdict` is the one on real mail of the same sender: what was found, what would happen to that,
// what to publish, and the results. Within the limits of a reply; never empty.
Reply probe_reply(const Verdict& verdict,
                  const Evidence& evidence,
                  const Policy& policy,
                  const ReplyContext& context);

} // namespace policy
