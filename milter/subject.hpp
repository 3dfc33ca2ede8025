// Somebody whom entries of the journal are about: what `sixgate forget` is told.
#pragma once

#include "milter/arguments.hpp"
#include "milter/store/fallback_ledger.hpp"
#include "milter/store/grace_ledger.hpp"
#include "milter/store/local_parts.hpp"
#include "milter/store/store.hpp"
#include "policy/address.hpp"

#include <string>
#include <variant>

namespace milter {

struct MailAddress {
    std::string local_part; // in lower case
    std::string domain;     // as A-labels in lower case
};

struct DomainName {
    std::string name; // as A-labels in lower case
};

// A network stands for the clients in it.
using Subject = std::variant<policy::Prefix, MailAddress, DomainName>;

// "user@example.org", "2001:db8::5", "2001:db8::/32" or "example.org".
OrRefusal<Subject> read_subject(const std::string& text);

// "example.org", as A-labels in lower case.
OrRefusal<std::string> read_domain_name(const std::string& text);

// Whether an entry names the subject. A network: as its client. A mail address: as MAIL FROM, as a
// recipient or as i= of a signature, hashed or in full. A domain: it or a name below it stands
// anywhere in what is known of the message, so that nothing of it is left where all of these go.
store::Store::Predicate names(const Subject& subject, const store::LocalParts& local_parts);

// Likewise of the grace ledger, which has networks and domains, and of the fallback watch, which
// has MAIL FROM and the recipient. A network stands also for the /64s that it is a part of.
store::GraceLedger::Predicate names_grace(const Subject& subject);
store::FallbackLedger::Predicate names_fallback(const Subject& subject,
                                                const store::LocalParts& local_parts);

} // namespace milter
