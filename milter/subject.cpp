#include "milter/subject.hpp"

#include "milter/network.hpp"
#include "milter/verify/domain.hpp"
#include "policy/ascii.hpp"
#include "policy/journal.hpp"
#include "policy/printable.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace milter {

namespace {

std::string_view local_part_of(std::string_view address) {
    return address.substr(0, std::min(address.rfind('@'), address.size()));
}

bool is_of_name(char c) {
    return policy::is_alphanumeric(c) || c == '-' || c == '_';
}

// With a dot: nobody means all of a top-level domain.
bool is_domain_subject(std::string_view text) {
    const auto dot = text.find('.');
    return dot != std::string_view::npos && dot != 0 && dot + 1 < text.size() &&
           text.find("..") == std::string_view::npos &&
           std::ranges::all_of(text, [](char c) { return is_of_name(c) || c == '.'; });
}

// In `text`, which is in lower case, stands `name` or a name below it, not as a part of another.
bool has_name(std::string_view text, std::string_view name) {
    for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
        const std::string_view rest = text.substr(at + name.size());
        const bool begins = at == 0 || !is_of_name(text[at - 1]);
        const bool goes_on = !rest.empty() && is_of_name(rest[0]);
        const bool has_parent = rest.size() > 1 && rest[0] == '.' && is_of_name(rest[1]);
        if (begins && !goes_on && !has_parent) {
            return true;
        }
    }
    return false;
}

void add_texts(const std::optional<policy::SpfEvidence>& spf, std::vector<std::string>& texts) {
    if (spf) {
        texts.insert(texts.end(), {spf->domain, spf->mechanism, spf->problem, spf->explanation});
    }
}

// All that a client, its message or its zones supplied.
std::vector<std::string> texts_of(const policy::Evidence& evidence) {
    std::vector<std::string> texts{evidence.helo,
                                   verify::to_a_labels(evidence.helo),
                                   evidence.mail_from,
                                   evidence.mail_from_domain,
                                   evidence.from_domain.value_or("")};
    for (const auto& [domain, organizational_domain] : evidence.organizations) {
        texts.push_back(domain); // the other is a part of it
    }
    for (const auto& recipient : evidence.recipients) {
        texts.insert(texts.end(), {recipient, verify::domain_of(recipient)});
    }
    if (evidence.iprev) {
        for (const auto& name : evidence.iprev->names) {
            texts.push_back(name.name);
        }
    }
    add_texts(evidence.spf_mail_from, texts);
    add_texts(evidence.spf_helo, texts);
    if (evidence.dkim) {
        for (const auto& signature : *evidence.dkim) {
            texts.insert(texts.end(),
                         {signature.sdid,
                          verify::to_a_labels(signature.sdid),
                          signature.auid,
                          verify::domain_of(signature.auid),
                          signature.selector,
                          signature.problem});
        }
    }
    return texts;
}

std::vector<std::string> addresses_of(const policy::Evidence& evidence) {
    std::vector<std::string> addresses{evidence.recipients};
    addresses.push_back(evidence.mail_from);
    if (evidence.dkim) {
        for (const auto& signature : *evidence.dkim) {
            addresses.push_back(signature.auid);
        }
    }
    return addresses;
}

// `first` is that of a /64.
bool overlap(const policy::Prefix& network, const policy::Address& first) {
    return network.contains(first) || policy::Prefix{first, 64}.contains(network.first());
}

store::Store::Predicate names(const policy::Prefix& network, const store::LocalParts&) {
    return [network](const policy::JournalEntry& entry) {
        return entry.evidence.client && network.contains(*entry.evidence.client);
    };
}

// Whether an address is the wanted one, hashed or in full.
auto is_address(const MailAddress& wanted, const store::LocalParts& local_parts) {
    const std::string hidden_address = local_parts.hidden(wanted.local_part + '@' + wanted.domain);
    const std::string hidden{local_part_of(hidden_address)};
    return [wanted, hidden](std::string_view address) {
        const std::string local_part = policy::to_lower(local_part_of(address));
        return (local_part == wanted.local_part || local_part == hidden) &&
               policy::to_lower(verify::domain_of(address)) == wanted.domain;
    };
}

store::Store::Predicate names(const MailAddress& wanted, const store::LocalParts& local_parts) {
    return [is_wanted = is_address(wanted, local_parts)](const policy::JournalEntry& entry) {
        return std::ranges::any_of(addresses_of(entry.evidence), is_wanted);
    };
}

store::Store::Predicate names(const DomainName& domain, const store::LocalParts&) {
    return [name = domain.name](const policy::JournalEntry& entry) {
        return std::ranges::any_of(texts_of(entry.evidence), [&](const std::string& text) {
            return has_name(policy::to_lower(text), name);
        });
    };
}

} // namespace

OrRefusal<Subject> read_subject(const std::string& text) {
    if (text.find_first_of(":/") != std::string::npos || policy::Address::parse(text)) {
        return parse_network(text).map(
            [](const policy::Prefix& network) { return Subject{network}; });
    }
    const std::string local_part = policy::to_lower(local_part_of(text));
    const bool is_address = local_part.size() < text.size();
    const std::string domain =
        policy::to_lower(is_address ? verify::domain_of(text) : verify::to_a_labels(text));
    if (!is_domain_subject(domain) || local_part.empty()) {
        return tl::unexpected{"must be a domain such as example.org, a mail address, an address or "
                              "a network, not \"" +
                              policy::printable(text, 60) + '"'};
    }
    return is_address ? Subject{MailAddress{local_part, domain}} : Subject{DomainName{domain}};
}

store::GraceLedger::Predicate names_grace(const Subject& subject) {
    return [subject](const store::GraceKey& key) {
        if (const auto* const network = std::get_if<policy::Prefix>(&subject)) {
            return overlap(*network, key.network);
        }
        const auto* const domain = std::get_if<DomainName>(&subject);
        return domain != nullptr && has_name(key.domain, domain->name);
    };
}

store::FallbackLedger::Predicate names_fallback(const Subject& subject,
                                                const store::LocalParts& local_parts) {
    if (const auto* const wanted = std::get_if<MailAddress>(&subject)) {
        return [is_wanted = is_address(*wanted, local_parts)](const store::FallbackEntry& entry) {
            return is_wanted(entry.refusal.mail_from) || is_wanted(entry.refusal.recipient);
        };
    }
    if (const auto* const network = std::get_if<policy::Prefix>(&subject)) {
        return [network = *network](const store::FallbackEntry& entry) {
            return overlap(network, entry.refusal.network);
        };
    }
    return [name = std::get<DomainName>(subject).name](const store::FallbackEntry& entry) {
        const policy::SoftRefusal& refusal = entry.refusal;
        const auto texts = std::to_array<std::string>({refusal.mail_from_domain,
                                                       verify::domain_of(refusal.mail_from),
                                                       verify::domain_of(refusal.recipient)});
        return std::ranges::any_of(
            texts, [&](const std::string& text) { return has_name(policy::to_lower(text), name); });
    };
}

OrRefusal<std::string> read_domain_name(const std::string& text) {
    const auto subject = read_subject(text);
    if (subject && std::holds_alternative<DomainName>(*subject)) {
        return std::get<DomainName>(*subject).name;
    }
    return tl::unexpected{"must be a domain such as example.org, not \"" +
                          policy::printable(text, 60) + '"'};
}

store::Store::Predicate names(const Subject& subject, const store::LocalParts& local_parts) {
    return std::visit([&](const auto& kind) { return names(kind, local_parts); }, subject);
}

} // namespace milter
