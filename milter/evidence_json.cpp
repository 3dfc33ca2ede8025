#include "milter/evidence_json.hpp"

#include "milter/since.hpp"
#include "policy/printable.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace milter {

namespace {

using Json = nlohmann::ordered_json;

// JSON is UTF-8, and what strangers supplied is not.
std::string text(std::string_view raw) {
    return policy::printable(raw, 4096);
}

Json json_of(const policy::IprevEvidence& iprev) {
    Json names = Json::array();
    for (const auto& found : iprev.names) {
        Json addresses = Json::array();
        for (const auto& address : found.addresses) {
            addresses.push_back(address.to_string());
        }
        names.push_back({{"name", text(found.name)},
                         {"outcome", to_string(found.outcome)},
                         {"addresses", std::move(addresses)}});
    }
    return {{"result", to_string(iprev.result)}, {"names", std::move(names)}};
}

Json json_of(const policy::SpfEvidence& spf) {
    return {{"result", to_string(spf.result)},
            {"domain", text(spf.domain)},
            {"mechanism", text(spf.mechanism)},
            {"problem", text(spf.problem)},
            {"explanation", text(spf.explanation)},
            {"is_wide", spf.is_wide},
            {"lists_only_ipv4", spf.lists_only_ipv4}};
}

Json json_of(const policy::DkimSignature& signature) {
    return {{"result", to_string(signature.result)},
            {"sdid", text(signature.sdid)},
            {"auid", text(signature.auid)},
            {"selector", text(signature.selector)},
            {"algorithm", text(signature.algorithm)},
            {"problem", text(signature.problem)},
            {"key_bits", signature.key_bits},
            {"is_testing", signature.is_testing}};
}

Json json_of(const policy::Organization& organization) {
    return {{"domain", text(organization.domain)},
            {"organizational_domain", text(organization.organizational_domain)}};
}

Json json_of(const policy::SenderDomainEvidence& sender_domain) {
    return {{"result", to_string(sender_domain.result)}, {"has_ipv6", sender_domain.has_ipv6}};
}

Json json_of(const policy::ReplyCode& code) {
    return {{"code", code.code}, {"enhanced_status", code.enhanced_status}};
}

template <typename Value>
Json json_of(const std::vector<Value>& values) {
    Json array = Json::array();
    for (const auto& value : values) {
        array.push_back(json_of(value));
    }
    return array;
}

// null: not known.
template <typename Value>
Json json_of(const std::optional<Value>& value) {
    return value ? json_of(*value) : Json(nullptr);
}

Json json_of(const policy::Listener& listener) {
    return {{"name", text(listener.name)},
            {"address", text(listener.address)},
            {"port", text(listener.port)}};
}

Json word_or_null(const auto& value) {
    return value ? Json(to_string(*value)) : Json(nullptr);
}

Json json_of(const std::optional<policy::GraceEvidence>& grace) {
    if (!grace) {
        return nullptr;
    }
    return {{"first", to_string(grace->first)},
            {"refusals", grace->refusals},
            {"refused_from", to_string(grace->refused_from)}};
}

} // namespace

Json to_json(const policy::Evidence& evidence) {
    Json recipients = Json::array();
    for (const auto& recipient : evidence.recipients) {
        recipients.push_back(text(recipient));
    }
    return {
        {"phase", to_string(evidence.phase)},
        {"time", evidence.time ? Json(to_string(*evidence.time)) : Json(nullptr)},
        {"client", evidence.client ? Json(evidence.client->to_string()) : Json(nullptr)},
        {"listener", json_of(evidence.listener)},
        {"helo", text(evidence.helo)},
        {"is_authenticated", evidence.is_authenticated},
        {"mail_from", text(evidence.mail_from)},
        {"mail_from_domain", text(evidence.mail_from_domain)},
        {"recipients", std::move(recipients)},
        {"percentile", evidence.percentile ? Json(*evidence.percentile) : Json(nullptr)},
        {"is_from_list", evidence.is_from_list},
        {"is_forwarded", evidence.is_forwarded},
        {"from_domain", evidence.from_domain ? Json(text(*evidence.from_domain)) : Json(nullptr)},
        {"organizations", json_of(evidence.organizations)},
        {"iprev", json_of(evidence.iprev)},
        {"spf_mail_from", json_of(evidence.spf_mail_from)},
        {"spf_helo", json_of(evidence.spf_helo)},
        {"dkim", json_of(evidence.dkim)},
        {"sender_domain", json_of(evidence.sender_domain)},
        {"grace", json_of(evidence.grace)}};
}

Json to_json(const policy::Verdict& verdict) {
    return {{"action", to_string(verdict.action)},
            {"reason", word_or_null(verdict.reason)},
            {"exemption", word_or_null(verdict.exemption)},
            {"stage", text(verdict.stage)},
            {"mode", to_string(verdict.mode)},
            {"would_soft", to_string(verdict.would_soft)},
            {"would_enforce", to_string(verdict.would_enforce)}};
}

Json to_json(const policy::Reply& reply) {
    Json json = json_of(reply.code);
    json["lines"] = reply.lines;
    return json;
}

Json to_json(const policy::JournalEntry& entry) {
    return {{"time", to_string(entry.time)},
            {"host", text(entry.host)},
            {"case", text(entry.case_id)},
            {"queue_id", text(entry.queue_id)},
            {"evidence", to_json(entry.evidence)},
            {"verdict", to_json(entry.verdict)},
            {"reply", json_of(entry.reply)}};
}

} // namespace milter
