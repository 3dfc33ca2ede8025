#include "milter/store/entry_details.hpp"

#include "milter/store/store.hpp"
#include "policy/printable.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace store {

namespace {

using Json = nlohmann::json;

// Longer than any path (RFC 5321 section 4.5.3.1.3) and any domain name.
constexpr std::size_t longest_text = 320;

// RFC 6008 section 4 asks for 8 characters of b= at least, and more where two begin alike.
constexpr std::size_t longest_signature = 16;

// --- Writing ---------------------------------------------------------------------------------

std::string text(std::string_view raw, std::size_t limit = longest_text) {
    const bool is_fit = raw.size() <= limit && std::ranges::all_of(raw, [](char c) {
                            return c >= 0x20 && c < 0x7f && c != '\\';
                        });
    return is_fit ? std::string{raw} : policy::printable(raw, limit);
}

void put(Json& object, const char* name, std::string_view value) {
    if (!value.empty()) {
        object[name] = text(value);
    }
}

void put(Json& object, const char* name, bool value) {
    if (value) {
        object[name] = true;
    }
}

Json to_details(const policy::Address& address) {
    const auto& bytes = address.bytes();
    return Json::binary({bytes.begin(), bytes.end()});
}

Json to_details(const policy::IprevName& name) {
    Json object{{"n", text(name.name)}, {"o", to_string(name.outcome)}};
    for (const auto& address : name.addresses) {
        object["a"].push_back(to_details(address));
    }
    return object;
}

Json to_details(const policy::IprevEvidence& iprev) {
    Json object{{"r", to_string(iprev.result)}};
    for (const auto& name : iprev.names) {
        object["n"].push_back(to_details(name));
    }
    return object;
}

Json to_details(const policy::SpfEvidence& spf) {
    Json object{{"r", to_string(spf.result)}};
    put(object, "d", spf.domain);
    put(object, "m", spf.mechanism);
    put(object, "p", spf.problem);
    put(object, "e", spf.explanation);
    put(object, "w", spf.is_wide);
    return object;
}

Json to_details(const policy::DkimSignature& signature) {
    Json object{{"r", to_string(signature.result)}};
    put(object, "d", signature.sdid);
    put(object, "i", signature.auid);
    put(object, "s", signature.selector);
    put(object, "a", signature.algorithm);
    put(object, "b", std::string_view{signature.signature}.substr(0, longest_signature));
    put(object, "p", signature.problem);
    put(object, "t", signature.is_testing);
    if (signature.key_bits != 0) {
        object["k"] = signature.key_bits;
    }
    return object;
}

Json to_details(const std::vector<policy::DkimSignature>& signatures) {
    Json array = Json::array();
    for (const auto& signature : signatures) {
        array.push_back(to_details(signature));
    }
    return array;
}

Json to_details(const policy::Listener& listener) {
    Json object = Json::object();
    put(object, "n", listener.name);
    put(object, "a", listener.address);
    put(object, "p", listener.port);
    return object;
}

Json to_details(const policy::Verdict& verdict) {
    Json object{{"a", to_string(verdict.action)}, {"m", to_string(verdict.mode)}};
    put(object, "n", verdict.stage);
    if (verdict.reason) {
        object["r"] = to_string(*verdict.reason);
        object["s"] = to_string(verdict.would_soft);
        object["e"] = to_string(verdict.would_enforce);
    }
    if (verdict.exemption) {
        object["x"] = to_string(*verdict.exemption);
    }
    return object;
}

// Left out: not known.
template <typename Value>
void put(Json& object, const char* name, const std::optional<Value>& value) {
    if (value) {
        object[name] = to_details(*value);
    }
}

// --- Reading ---------------------------------------------------------------------------------

std::string text_in(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() ? std::string{} : found->get<std::string>();
}

bool bool_in(const Json& object, const char* name) {
    return object.value(name, false);
}

// The value of a word. Every word was one once; throws where it is not.
template <typename Parse>
auto word_in(const Json& object, const char* name, Parse parse) {
    const std::string word = text_in(object, name);
    const auto value = parse(word);
    if (!value) {
        throw StoreError{"an entry says \"" + policy::printable(word) + "\" where " + name +
                         " stands"};
    }
    return *value;
}

template <typename Read>
auto optional_in(const Json& object, const char* name, Read read) {
    using Value = decltype(read(object));
    const auto found = object.find(name);
    return found == object.end() ? std::optional<Value>{} : std::optional<Value>{read(*found)};
}

template <typename Read>
auto array_in(const Json& array, Read read) {
    std::vector<decltype(read(array))> values;
    values.reserve(array.size());
    std::ranges::transform(array, std::back_inserter(values), read);
    return values;
}

template <typename Read>
auto array_in(const Json& object, const char* name, Read read) {
    const auto found = object.find(name);
    return found == object.end() ? std::vector<decltype(read(object))>{} : array_in(*found, read);
}

policy::Address address_in(const Json& value) {
    const auto& octets = value.get_binary();
    policy::Address::Bytes bytes{};
    if (octets.size() != bytes.size()) {
        throw StoreError{"an entry has an address of " + std::to_string(octets.size()) + " octets"};
    }
    std::ranges::copy(octets, bytes.begin());
    return policy::Address{bytes};
}

policy::IprevName name_in(const Json& object) {
    return {text_in(object, "n"),
            word_in(object, "o", policy::name_outcome_from),
            array_in(object, "a", address_in)};
}

policy::IprevEvidence iprev_in(const Json& object) {
    return {word_in(object, "r", policy::iprev_result_from), array_in(object, "n", name_in)};
}

policy::SpfEvidence spf_in(const Json& object) {
    return {word_in(object, "r", policy::spf_result_from),
            text_in(object, "d"),
            text_in(object, "m"),
            text_in(object, "p"),
            text_in(object, "e"),
            bool_in(object, "w")};
}

policy::DkimSignature signature_in(const Json& object) {
    return {word_in(object, "r", policy::dkim_result_from),
            text_in(object, "d"),
            text_in(object, "i"),
            text_in(object, "s"),
            text_in(object, "a"),
            text_in(object, "b"),
            text_in(object, "p"),
            object.value("k", 0U),
            bool_in(object, "t")};
}

std::vector<policy::DkimSignature> signatures_in(const Json& array) {
    return array_in(array, signature_in);
}

policy::Listener listener_in(const Json& object) {
    return {text_in(object, "n"), text_in(object, "a"), text_in(object, "p")};
}

policy::Verdict verdict_in(const Json& object) {
    policy::Verdict verdict{.action = word_in(object, "a", policy::action_from),
                            .stage = text_in(object, "n"),
                            .mode = word_in(object, "m", policy::mode_from)};
    if (object.contains("r")) {
        verdict.reason = word_in(object, "r", policy::reason_from);
        verdict.would_soft = word_in(object, "s", policy::action_from);
        verdict.would_enforce = word_in(object, "e", policy::action_from);
    }
    if (object.contains("x")) {
        verdict.exemption = word_in(object, "x", policy::exemption_from);
    }
    return verdict;
}

std::string recipient_in(const Json& value) {
    return value.get<std::string>();
}

policy::JournalEntry from_details(policy::JournalEntry entry, const Json& object) {
    policy::Evidence& evidence = entry.evidence;
    entry.host = text_in(object, "host");
    entry.queue_id = text_in(object, "queue");
    entry.reply = policy::ReplyCode::parse(text_in(object, "reply"));
    entry.verdict = verdict_in(object.at("verdict"));
    evidence.listener = optional_in(object, "listener", listener_in).value_or(policy::Listener{});
    evidence.helo = text_in(object, "helo");
    evidence.mail_from = text_in(object, "from");
    evidence.recipients = array_in(object, "to", recipient_in);
    evidence.is_authenticated = bool_in(object, "auth");
    evidence.is_from_list = bool_in(object, "list");
    evidence.is_forwarded = bool_in(object, "fwd");
    evidence.iprev = optional_in(object, "iprev", iprev_in);
    evidence.spf_mail_from = optional_in(object, "spf", spf_in);
    evidence.spf_helo = optional_in(object, "spfh", spf_in);
    evidence.dkim = optional_in(object, "dkim", signatures_in);
    return entry;
}

} // namespace

std::vector<std::uint8_t> details_of(const policy::JournalEntry& entry) {
    const policy::Evidence& evidence = entry.evidence;
    Json object{{"verdict", to_details(entry.verdict)}};
    put(object, "host", entry.host);
    put(object, "queue", entry.queue_id);
    put(object, "reply", entry.reply ? entry.reply->to_string() : "");
    if (evidence.listener != policy::Listener{}) {
        object["listener"] = to_details(evidence.listener);
    }
    put(object, "helo", evidence.helo);
    put(object, "from", evidence.mail_from);
    for (const auto& recipient : evidence.recipients) {
        object["to"].push_back(text(recipient));
    }
    put(object, "auth", evidence.is_authenticated);
    put(object, "list", evidence.is_from_list);
    put(object, "fwd", evidence.is_forwarded);
    put(object, "iprev", evidence.iprev);
    put(object, "spf", evidence.spf_mail_from);
    put(object, "spfh", evidence.spf_helo);
    put(object, "dkim", evidence.dkim);
    return Json::to_cbor(object);
}

policy::JournalEntry with_details(policy::JournalEntry entry,
                                  std::span<const std::uint8_t> octets) {
    try {
        return from_details(std::move(entry), Json::from_cbor(octets.begin(), octets.end()));
    } catch (const Json::exception& error) {
        throw StoreError{"case " + policy::printable(entry.case_id) +
                         ": the entry cannot be read: " + error.what()};
    }
}

} // namespace store
