// Whose mail a stage applies to (DESIGN section 8).
#pragma once

#include "policy/domain_set.hpp"
#include "policy/evidence.hpp"
#include "policy/prefix_set.hpp"
#include "policy/recipient_pattern.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace policy {

// Three-valued: evidence that is not in yet, or that could not be looked up, might still say yes.
enum class Match : std::uint8_t { no, unknown, yes };

// The listener of the MTA by its address, its port, its name, or address and port. What is empty
// may be anything; all are as the MTA tells them.
struct ListenerPattern {
    std::optional<Address> address;
    std::string port;
    std::string name;

    // "2001:db8::25", "[2001:db8::25]:25", ":587" or a name.
    static std::optional<ListenerPattern> parse(std::string_view text);
    bool matches(const Listener& listener) const;

    friend bool operator==(const ListenerPattern&, const ListenerPattern&) = default;
};

// Each part that is set must match; a part that is a list matches when one of it does.
struct Selector {
    std::optional<PrefixSet> networks;
    std::optional<DomainSet> reverse_names; // one that iprev confirmed
    std::optional<DomainSet> authenticated; // passed SPF as MAIL FROM, or DKIM as SDID
    std::vector<RecipientPattern> recipients;
    std::vector<ListenerPattern> listeners;
    std::optional<double> percent; // of senders: 0 to 100
    std::optional<Time> from;      // this moment included
    std::optional<Time> until;     // this moment not

    friend bool operator==(const Selector&, const Selector&) = default;
};

// The parts of a selector, for whoever tells why it does not match.
enum class SelectorPart : std::uint8_t {
    networks,
    listeners,
    from,
    until,
    percent,
    recipients,
    reverse_names,
    authenticated
};

std::string_view to_string(SelectorPart part);

struct PartMatch {
    SelectorPart part;
    Match match;
};

// Of the parts that are set. `recipient` stands for all recipients: a message has one stage for
// each of them. Empty: none is known yet.
std::vector<PartMatch> matches_of(const Selector& selector,
                                  const Evidence& evidence,
                                  std::optional<std::string_view> recipient);

// All of it; a selector without parts matches everything.
Match match(const Selector& selector,
            const Evidence& evidence,
            std::optional<std::string_view> recipient);

} // namespace policy
