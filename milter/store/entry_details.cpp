#include "milter/store/entry_details.hpp"

#include "milter/store/entry_numbers.hpp"
#include "milter/store/store.hpp"
#include "policy/printable.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace store {

namespace {

// Longer than any path (RFC 5321 section 4.5.3.1.3) and any domain name.
constexpr std::size_t longest_text = 320;

// RFC 6008 section 4 asks for 8 characters of b= at least, and more where two begin alike.
constexpr std::size_t longest_signature = 16;

// --- Writing ---------------------------------------------------------------------------------

void put(std::string* field, std::string_view text) {
    *field = text.substr(0, longest_text);
    if (text.size() > longest_text) {
        *field += "...";
    }
}

void put(proto::Verdict* to, const policy::Verdict& verdict) {
    to->set_action(number_of(verdict.action));
    to->set_mode(number_of(verdict.mode));
    put(to->mutable_stage(), verdict.stage);
    if (verdict.exemption) {
        to->set_exemption(number_of(*verdict.exemption));
    }
    if (verdict.reason) {
        to->set_reason(number_of(*verdict.reason));
        to->set_would_soft(number_of(verdict.would_soft));
        to->set_would_enforce(number_of(verdict.would_enforce));
    }
}

void put(proto::Listener* to, const policy::Listener& listener) {
    put(to->mutable_name(), listener.name);
    put(to->mutable_address(), listener.address);
    put(to->mutable_port(), listener.port);
}

void put(proto::Iprev* to, const policy::IprevEvidence& iprev) {
    to->set_result(number_of(iprev.result));
    for (const auto& name : iprev.names) {
        auto* const to_name = to->add_names();
        put(to_name->mutable_name(), name.name);
        to_name->set_outcome(number_of(name.outcome));
        for (const auto& address : name.addresses) {
            to_name->mutable_addresses()->append(address.bytes().begin(), address.bytes().end());
        }
    }
}

void put(proto::Spf* to, const policy::SpfEvidence& spf) {
    to->set_result(number_of(spf.result));
    put(to->mutable_domain(), spf.domain);
    put(to->mutable_mechanism(), spf.mechanism);
    put(to->mutable_problem(), spf.problem);
    put(to->mutable_explanation(), spf.explanation);
    to->set_is_wide(spf.is_wide);
    to->set_lists_only_ipv4(spf.lists_only_ipv4);
}

void put(proto::Dkim* to, const std::vector<policy::DkimSignature>& signatures) {
    for (const auto& signature : signatures) {
        auto* const to_signature = to->add_signatures();
        to_signature->set_result(number_of(signature.result));
        put(to_signature->mutable_sdid(), signature.sdid);
        put(to_signature->mutable_auid(), signature.auid);
        put(to_signature->mutable_selector(), signature.selector);
        put(to_signature->mutable_algorithm(), signature.algorithm);
        put(to_signature->mutable_signature(),
            std::string_view{signature.signature}.substr(0, longest_signature));
        put(to_signature->mutable_problem(), signature.problem);
        to_signature->set_key_bits(signature.key_bits);
        to_signature->set_is_testing(signature.is_testing);
    }
}

void put(proto::Organization* to, const policy::Organization& organization) {
    put(to->mutable_domain(), organization.domain);
    if (organization.organizational_domain != organization.domain) {
        put(to->mutable_organizational_domain(), organization.organizational_domain);
    }
}

void put(proto::SenderDomain* to, const policy::SenderDomainEvidence& sender_domain) {
    to->set_result(number_of(sender_domain.result));
    to->set_has_ipv6(sender_domain.has_ipv6);
}

void put(proto::Grace* to, const policy::GraceEvidence& grace) {
    to->set_first(grace.first.time_since_epoch().count());
    to->set_refusals(grace.refusals);
    to->set_refused_from(grace.refused_from.time_since_epoch().count());
}

// A message takes minutes; where a clock was set meanwhile, what does not fit is not told.
std::int32_t mail_time_ms(const policy::JournalEntry& entry) {
    const auto time = entry.evidence.time.value_or(entry.time);
    const auto length = (entry.time - time).count();
    const auto told = static_cast<std::int32_t>(length);
    return told == length ? told : 0;
}

// What chooses the stage, and what is asked of the author's domain.
void put_stage_evidence(proto::Entry* to, const policy::JournalEntry& entry) {
    const policy::Evidence& evidence = entry.evidence;
    if (evidence.phase != policy::Phase::end_of_message) {
        to->set_phase(number_of(evidence.phase));
    }
    to->set_mail_time_ms(mail_time_ms(entry));
    if (evidence.percentile) {
        to->set_percentile(*evidence.percentile);
    }
    if (evidence.from_domain) {
        put(to->mutable_from_domain(), *evidence.from_domain);
    }
    for (const auto& organization : evidence.organizations) {
        put(to->add_organizations(), organization);
    }
    if (evidence.sender_domain) {
        put(to->mutable_sender_domain(), *evidence.sender_domain);
    }
    if (evidence.grace) {
        put(to->mutable_grace(), *evidence.grace);
    }
}

void put(proto::Entry* to, const policy::JournalEntry& entry) {
    const policy::Evidence& evidence = entry.evidence;
    put(to->mutable_host(), entry.host);
    put(to->mutable_queue_id(), entry.queue_id);
    put(to->mutable_reply(), entry.reply ? entry.reply->to_string() : "");
    put(to->mutable_verdict(), entry.verdict);
    if (evidence.listener != policy::Listener{}) {
        put(to->mutable_listener(), evidence.listener);
    }
    put(to->mutable_helo(), evidence.helo);
    put(to->mutable_mail_from(), evidence.mail_from);
    for (const auto& recipient : evidence.recipients) {
        put(to->add_recipients(), recipient);
    }
    to->set_is_authenticated(evidence.is_authenticated);
    to->set_is_from_list(evidence.is_from_list);
    to->set_is_forwarded(evidence.is_forwarded);
    if (evidence.iprev) {
        put(to->mutable_iprev(), *evidence.iprev);
    }
    if (evidence.spf_mail_from) {
        put(to->mutable_spf_mail_from(), *evidence.spf_mail_from);
    }
    if (evidence.spf_helo) {
        put(to->mutable_spf_helo(), *evidence.spf_helo);
    }
    if (evidence.dkim) {
        put(to->mutable_dkim(), *evidence.dkim);
    }
    put_stage_evidence(to, entry);
}

// --- Reading ---------------------------------------------------------------------------------

// Of one entry. Texts are moved out of protobuf's.
class Reader {
public:
    explicit Reader(const std::string& case_id) : case_id_{case_id} {}

    [[noreturn]] void fail(const std::string& what) const {
        throw StoreError{"case " + policy::printable(case_id_) +
                         ": the entry cannot be read: " + what};
    }

    void take(policy::JournalEntry& entry, proto::Entry& from) const {
        policy::Evidence& evidence = entry.evidence;
        entry.host = std::move(*from.mutable_host());
        entry.queue_id = std::move(*from.mutable_queue_id());
        entry.reply = policy::ReplyCode::parse(from.reply());
        entry.verdict = verdict_in(*from.mutable_verdict());
        if (from.has_listener()) {
            evidence.listener = listener_in(*from.mutable_listener());
        }
        evidence.helo = std::move(*from.mutable_helo());
        evidence.mail_from = std::move(*from.mutable_mail_from());
        evidence.recipients.reserve(static_cast<std::size_t>(from.recipients_size()));
        for (auto& recipient : *from.mutable_recipients()) {
            evidence.recipients.push_back(std::move(recipient));
        }
        evidence.is_authenticated = from.is_authenticated();
        evidence.is_from_list = from.is_from_list();
        evidence.is_forwarded = from.is_forwarded();
        if (from.has_iprev()) {
            evidence.iprev = iprev_in(*from.mutable_iprev());
        }
        if (from.has_spf_mail_from()) {
            evidence.spf_mail_from = spf_in(*from.mutable_spf_mail_from());
        }
        if (from.has_spf_helo()) {
            evidence.spf_helo = spf_in(*from.mutable_spf_helo());
        }
        if (from.has_dkim()) {
            evidence.dkim = signatures_in(*from.mutable_dkim());
        }
        take_stage_evidence(entry, from);
    }

private:
    void take_stage_evidence(policy::JournalEntry& entry, proto::Entry& from) const {
        policy::Evidence& evidence = entry.evidence;
        if (from.phase() != proto::PHASE_LEFT_OUT) {
            evidence.phase = value_in<policy::Phase>(from.phase(), "a phase");
        }
        evidence.time = entry.time - std::chrono::milliseconds{from.mail_time_ms()};
        if (from.has_percentile()) {
            evidence.percentile = percentile_in(from.percentile());
        }
        if (from.has_from_domain()) {
            evidence.from_domain = std::move(*from.mutable_from_domain());
        }
        evidence.organizations.reserve(static_cast<std::size_t>(from.organizations_size()));
        for (auto& organization : *from.mutable_organizations()) {
            evidence.organizations.push_back(organization_in(organization));
        }
        if (from.has_sender_domain()) {
            evidence.sender_domain = sender_domain_in(from.sender_domain());
        }
        if (from.has_grace()) {
            evidence.grace = grace_in(from.grace());
        }
    }

    // Of a number as it was read: of this version, of a later one, or of a damaged file.
    template <typename Enum>
    Enum value_in(int number, const char* what) const {
        const auto value = value_of<Enum>(number);
        if (!value) {
            fail("it has " + std::to_string(number) + " for " + what);
        }
        return *value;
    }

    policy::Verdict verdict_in(proto::Verdict& from) const {
        policy::Verdict verdict;
        verdict.action = value_in<policy::Action>(from.action(), "an action");
        verdict.mode = value_in<policy::Mode>(from.mode(), "a mode");
        verdict.stage = std::move(*from.mutable_stage());
        if (from.exemption() != proto::EXEMPTION_LEFT_OUT) {
            verdict.exemption = value_in<policy::Exemption>(from.exemption(), "an exemption");
        }
        if (from.reason() != proto::REASON_LEFT_OUT) {
            verdict.reason = value_in<policy::Reason>(from.reason(), "a reason");
            verdict.would_soft = value_in<policy::Action>(from.would_soft(), "an action");
            verdict.would_enforce = value_in<policy::Action>(from.would_enforce(), "an action");
        }
        return verdict;
    }

    double percentile_in(double number) const {
        if (!(number >= 0 && number < 100)) { // nor is it NaN
            fail("it has " + std::to_string(number) + " for a percentile");
        }
        return number;
    }

    static policy::Organization organization_in(proto::Organization& from) {
        if (!from.has_organizational_domain()) {
            return {from.domain(), from.domain()};
        }
        return {std::move(*from.mutable_domain()),
                std::move(*from.mutable_organizational_domain())};
    }

    policy::SenderDomainEvidence sender_domain_in(const proto::SenderDomain& from) const {
        return {
            value_in<policy::SenderDomainResult>(from.result(), "a result of the sender domain"),
            from.has_ipv6()};
    }

    static policy::GraceEvidence grace_in(const proto::Grace& from) {
        const auto time_at = [](std::int64_t number) {
            return policy::Time{std::chrono::milliseconds{number}};
        };
        return {time_at(from.first()), from.refusals(), time_at(from.refused_from())};
    }

    static policy::Listener listener_in(proto::Listener& from) {
        return {std::move(*from.mutable_name()),
                std::move(*from.mutable_address()),
                std::move(*from.mutable_port())};
    }

    std::vector<policy::Address> addresses_in(std::string_view octets) const {
        policy::Address::Bytes bytes{};
        if (octets.size() % bytes.size() != 0) {
            fail("it has " + std::to_string(octets.size()) + " octets for addresses");
        }
        std::vector<policy::Address> addresses;
        addresses.reserve(octets.size() / bytes.size());
        for (; !octets.empty(); octets.remove_prefix(bytes.size())) {
            std::ranges::transform(octets.substr(0, bytes.size()), bytes.begin(), [](char c) {
                return static_cast<std::uint8_t>(c);
            });
            addresses.emplace_back(bytes);
        }
        return addresses;
    }

    policy::IprevEvidence iprev_in(proto::Iprev& from) const {
        policy::IprevEvidence iprev;
        iprev.result = value_in<policy::IprevResult>(from.result(), "a result of iprev");
        iprev.names.reserve(static_cast<std::size_t>(from.names_size()));
        for (auto& name : *from.mutable_names()) {
            iprev.names.push_back(
                {std::move(*name.mutable_name()),
                 value_in<policy::NameOutcome>(name.outcome(), "the outcome of a name"),
                 addresses_in(name.addresses())});
        }
        return iprev;
    }

    policy::SpfEvidence spf_in(proto::Spf& from) const {
        return {value_in<policy::SpfResult>(from.result(), "a result of SPF"),
                std::move(*from.mutable_domain()),
                std::move(*from.mutable_mechanism()),
                std::move(*from.mutable_problem()),
                std::move(*from.mutable_explanation()),
                from.is_wide(),
                from.lists_only_ipv4()};
    }

    policy::DkimSignature signature_in(proto::Dkim::Signature& from) const {
        return {value_in<policy::DkimResult>(from.result(), "a result of DKIM"),
                std::move(*from.mutable_sdid()),
                std::move(*from.mutable_auid()),
                std::move(*from.mutable_selector()),
                std::move(*from.mutable_algorithm()),
                std::move(*from.mutable_signature()),
                std::move(*from.mutable_problem()),
                from.key_bits(),
                from.is_testing()};
    }

    std::vector<policy::DkimSignature> signatures_in(proto::Dkim& from) const {
        std::vector<policy::DkimSignature> signatures;
        signatures.reserve(static_cast<std::size_t>(from.signatures_size()));
        for (auto& signature : *from.mutable_signatures()) {
            signatures.push_back(signature_in(signature));
        }
        return signatures;
    }

    const std::string& case_id_;
};

} // namespace

std::vector<std::uint8_t> details_of(const policy::JournalEntry& entry) {
    proto::Entry details;
    put(&details, entry);
    std::vector<std::uint8_t> octets(details.ByteSizeLong());
    details.SerializeWithCachedSizesToArray(octets.data());
    return octets;
}

policy::JournalEntry with_details(policy::JournalEntry entry,
                                  std::span<const std::uint8_t> octets) {
    const std::string case_id = entry.case_id;
    const Reader reader{case_id};
    proto::Entry details;
    if (!details.ParseFromArray(octets.data(), static_cast<int>(octets.size()))) {
        reader.fail("its octets are damaged");
    }
    reader.take(entry, details);
    return entry;
}

} // namespace store
