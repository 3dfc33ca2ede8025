#include "milter/store/local_parts.hpp"

#include "milter/store/hex.hpp"
#include "milter/store/hmac.hpp"
#include "milter/store/store.hpp"
#include "policy/ascii.hpp"
#include "policy/mailbox.hpp"
#include "policy/recipient_pattern.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <span>
#include <system_error>
#include <vector>

namespace store {

namespace {

constexpr char mark = '~';

// Behind the hash of what has more than one reading, which the hash then has, too.
constexpr char may_lead_elsewhere = '%';
constexpr char has_no_reading = '<'; // Mailbox::parse() refuses it

constexpr const char* left_out = "(left out: it could spell the local part)";
constexpr std::size_t hash_digits = 16;
constexpr std::size_t least_key = 16;
constexpr std::size_t largest_key = 4096;

[[noreturn]] void fail(const std::string& file, const std::string& what) {
    throw StoreError{file + ": " + what};
}

[[noreturn]] void fail_with_errno(const std::string& file, const std::string& what) {
    fail(file, what + ": " + std::generic_category().message(errno));
}

// A file descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int number) : number_{number} {}

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    ~Descriptor() {
        if (is_open()) {
            close(number_);
        }
    }

    bool is_open() const { return number_ >= 0; }

    int number() const { return number_; }

private:
    int number_;
};

// Not by OpenSSL, whose generator would leave its algorithms in the common library context.
std::string random_key() {
    std::array<unsigned char, 32> octets{};
    if (getentropy(octets.data(), octets.size()) != 0) {
        throw StoreError{"getentropy: no random octets for the key of the journal"};
    }
    return {octets.begin(), octets.end()};
}

// Whole or not at all: a key cut short by a crash would never be found again.
void write_key(const std::string& file, const std::string& key) {
    std::string draft = file + ".XXXXXX";
    {
        const Descriptor descriptor{mkostemp(draft.data(), O_CLOEXEC)}; // with mode 0600
        if (!descriptor.is_open()) {
            fail_with_errno(file, "the key of the journal cannot be made");
        }
        const auto written = write(descriptor.number(), key.data(), key.size());
        if (written != static_cast<ssize_t>(key.size()) || fsync(descriptor.number()) != 0) {
            const int error = errno;
            unlink(draft.c_str());
            errno = error;
            fail_with_errno(draft, "cannot be written");
        }
    }
    // link(2) never replaces: where two start at once, the first key stays.
    const bool is_ours = link(draft.c_str(), file.c_str()) == 0 || errno == EEXIST;
    const int error = errno;
    unlink(draft.c_str());
    if (!is_ours) {
        errno = error;
        fail_with_errno(file, "cannot be made");
    }
}

// Macros of SPF turn a local part round, cut it at its punctuation and escape it (RFC 7208 section
// 7.3); its letters and digits stay together. Where it has none, or others than ASCII's, or is so
// long that it may be cut anywhere, there is no telling.
bool could_spell(std::string_view text, std::string_view local_part) {
    constexpr std::size_t longest_plain = 64; // RFC 5321 section 4.5.3.1.1
    const bool is_plain = local_part.size() <= longest_plain &&
                          std::ranges::all_of(local_part, policy::is_printable) &&
                          std::ranges::any_of(local_part, policy::is_alphanumeric);
    if (!is_plain || text.empty()) {
        return !text.empty() && !local_part.empty();
    }
    const std::string lower = policy::to_lower(text);
    const std::string word = policy::to_lower(local_part);
    for (auto begin = word.begin(); begin != word.end();) {
        const auto end = std::find_if_not(begin, word.end(), policy::is_alphanumeric);
        if (begin != end && lower.find(std::string_view{begin, end}) != std::string::npos) {
            return true;
        }
        begin = std::find_if(end, word.end(), policy::is_alphanumeric);
    }
    return false;
}

bool is_hidden(std::string_view text) {
    if (text.ends_with(has_no_reading) || text.ends_with(may_lead_elsewhere)) {
        text.remove_suffix(1);
    }
    return text.size() == hash_digits + 1 && text.front() == mark &&
           text.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

} // namespace

LocalParts::LocalParts(const std::string& key) : hmac_{std::make_shared<Hmac>(key)} {}

std::string LocalParts::hash(std::string_view text) const {
    // RFC 5321 has local parts differ by case; no postmaster has seen two people who did.
    const Hmac::Digest digest = hmac_->digest(policy::to_lower(text));
    return mark + hex_of(std::span{digest}.first(hash_digits / 2));
}

std::string LocalParts::key_check() const {
    return hmac_ ? hash("<the key of the journal>") : "";
}

std::string LocalParts::hidden(std::string_view address) const {
    const auto mailbox = policy::Mailbox::parse(address);
    const std::string_view secret = mailbox ? mailbox->local_part : address;
    if (!hmac_ || secret.empty() || is_hidden(secret)) {
        return std::string{address};
    }
    if (!mailbox) {
        return hash(address) + has_no_reading;
    }
    std::string text = hash(secret);
    if (!policy::has_one_reading(std::string{secret} + "@example.org")) {
        text += may_lead_elsewhere;
    }
    return text.append(address.substr(secret.size()));
}

policy::JournalEntry LocalParts::hidden(policy::JournalEntry entry) const {
    hide_in(entry);
    return entry;
}

void LocalParts::hide_in(policy::JournalEntry& entry) const {
    policy::Evidence& evidence = entry.evidence;
    // What has no local part that can be read is not asked SPF about.
    const auto mail_from = policy::Mailbox::parse(evidence.mail_from);
    if (hmac_ && evidence.spf_mail_from && mail_from && !is_hidden(mail_from->local_part)) {
        for (auto* const text :
             {&evidence.spf_mail_from->problem, &evidence.spf_mail_from->explanation}) {
            if (could_spell(*text, mail_from->local_part)) {
                *text = left_out;
            }
        }
    }
    evidence.mail_from = hidden(evidence.mail_from);
    for (auto& recipient : evidence.recipients) {
        recipient = hidden(recipient);
    }
    if (evidence.dkim) {
        for (auto& signature : *evidence.dkim) {
            signature.auid = hidden(signature.auid);
        }
    }
}

// Both forms: an entry may be from a time when addresses were kept in full.
void LocalParts::add_hidden_twins(std::vector<policy::RecipientPattern>& patterns) const {
    std::vector<policy::RecipientPattern> twins;
    for (const auto& [local_part, domain] : patterns) {
        const std::string twin = hidden(local_part + "@example.org"); // of any domain
        const auto mailbox = policy::Mailbox::parse(twin);
        if (local_part != "*" && mailbox) {
            twins.push_back({std::string{mailbox->local_part}, domain});
        }
    }
    patterns.insert(patterns.end(), twins.begin(), twins.end());
}

policy::Policy LocalParts::for_hidden(policy::Policy policy) const {
    add_hidden_twins(policy.exempt_recipients);
    add_hidden_twins(policy.probe_recipients);
    for (auto& stage : policy.stages) {
        add_hidden_twins(stage.selector.recipients);
    }
    return policy;
}

bool names_local_parts(const policy::Policy& policy) {
    const auto names = [](const std::vector<policy::RecipientPattern>& patterns) {
        return std::ranges::any_of(patterns,
                                   [](const auto& pattern) { return pattern.local_part != "*"; });
    };
    return names(policy.exempt_recipients) || names(policy.probe_recipients) ||
           std::ranges::any_of(policy.stages, [&](const policy::Stage& stage) {
               return names(stage.selector.recipients);
           });
}

std::string read_key(const std::string& file) {
    const Descriptor descriptor{open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!descriptor.is_open()) {
        fail_with_errno(file, "the key of the journal cannot be opened");
    }
    std::string key(largest_key, '\0');
    const auto length = read(descriptor.number(), key.data(), key.size());
    if (length < 0) {
        fail_with_errno(file, "cannot be read");
    }
    key.resize(static_cast<std::size_t>(length));
    if (key.size() < least_key) {
        fail(file, "is too short for a key: at least " + std::to_string(least_key) + " octets");
    }
    return key;
}

std::string read_or_make_key(const std::string& file) {
    if (access(file.c_str(), F_OK) != 0) {
        write_key(file, random_key());
    }
    return read_key(file);
}

} // namespace store
