// Local parts of addresses as keyed hashes: whoever reads the journal can count people and tell
// them apart, and cannot name them.
#pragma once

#include "policy/journal.hpp"
#include "policy/rules.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace store {

class Hmac;

// Shared by threads freely.
class LocalParts {
public:
    LocalParts() = default; // hides nothing

    explicit LocalParts(const std::string& key); // throws as Hmac does

    // "user@example.org" as "~0123456789abcdef@example.org". The same for the same local part in
    // any case and with the same key; what is hidden already, and the null path, stay as they are.
    // What has more than one reading (policy::has_one_reading) keeps that: a local part that may
    // lead elsewhere becomes "~0123456789abcdef%@example.org", and where no local part can be told
    // from the domain all is hashed, as "~0123456789abcdef<".
    std::string hidden(std::string_view address) const;

    // All addresses in it. A text of the SPF check that could spell the local part, as an
    // explanation with %{s} does, is left out.
    policy::JournalEntry hidden(policy::JournalEntry entry) const;
    void hide_in(policy::JournalEntry& entry) const; // where it throws, it may be done again

    // Tells keys apart and not what they are; empty where nothing is hidden.
    std::string key_check() const;

    // Judges entries with hidden addresses as `policy` judges those with full ones, as long as they
    // were hidden with this key.
    policy::Policy for_hidden(policy::Policy policy) const;

private:
    std::string hash(std::string_view text) const;
    void add_hidden_twins(std::vector<policy::RecipientPattern>& patterns) const;

    std::shared_ptr<Hmac> hmac_; // empty: hides nothing
};

// Whether for_hidden() has something to do: then the key is needed.
bool names_local_parts(const policy::Policy& policy);

// The octets of a key file, at least 16. Throw StoreError.
std::string read_key(const std::string& file);
std::string read_or_make_key(const std::string& file); // 32 random octets, readable by the owner

} // namespace store
