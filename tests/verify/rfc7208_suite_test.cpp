// The openspf.org test suite for RFC 7208, all of it: what other implementations skip, we run.
#include "milter/verify/spf.hpp"
#include "policy/results.hpp"
#include "tests/verify/fake_resolver.hpp"

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

using tests::FakeResolver;
using verify::LookupFailure;
using verify::RecordType;

namespace {

constexpr auto types = std::to_array<RecordType>(
    {RecordType::a, RecordType::aaaa, RecordType::mx, RecordType::ptr, RecordType::txt});

// What stands under one name of the zone.
struct ZoneName {
    std::vector<std::pair<std::string, YAML::Node>> records; // type and value
    bool is_stalled = false; // what is not given here is never answered
    bool is_loop = false;
    std::string alias;
};

ZoneName read_name(const YAML::Node& entries) {
    ZoneName name;
    for (const auto& entry : entries) {
        const auto& record = *entry.begin();
        const auto type = record.first.as<std::string>();
        if (type == "TIMEOUT") {
            name.is_stalled = true;
        } else if (type == "CNAMELOOP") {
            name.is_loop = true;
        } else if (type == "CNAME") {
            name.alias = verify::Question{record.second.as<std::string>(), RecordType::a}.name;
        } else {
            name.records.emplace_back(type, record.second);
        }
    }
    return name;
}

// Records of type SPF are ignored by RFC 7208: they stand for TXT where no TXT is given.
ZoneName with_spf_as_txt(ZoneName name) {
    const bool has_txt =
        std::ranges::any_of(name.records, [](const auto& record) { return record.first == "TXT"; });
    for (auto& [type, value] : name.records) {
        if (type == "SPF" && !has_txt) {
            type = "TXT";
        }
    }
    std::erase_if(name.records, [](const auto& record) {
        const bool is_none = record.second.IsScalar() && record.second.Scalar() == "NONE";
        return record.first == "SPF" || is_none;
    });
    return name;
}

std::string joined(const YAML::Node& strings) {
    if (strings.IsScalar()) {
        return strings.as<std::string>();
    }
    std::string text;
    for (const auto& string : strings) {
        text += string.as<std::string>();
    }
    return text;
}

RecordType add_mail_exchange(FakeResolver& dns, const std::string& name, const YAML::Node& value) {
    const auto host = value[1].as<std::string>();
    dns.add_mx(name, value[0].as<std::uint16_t>(), host.empty() ? "." : host);
    return RecordType::mx;
}

RecordType add_record(FakeResolver& dns,
                      const std::string& name,
                      const std::string& type,
                      const YAML::Node& value) {
    if (type == "TXT") {
        dns.add_txt(name, joined(value));
        return RecordType::txt;
    }
    if (type == "MX") {
        return add_mail_exchange(dns, name, value);
    }
    if (type == "PTR") {
        dns.add_name(name, value.as<std::string>());
        return RecordType::ptr;
    }
    REQUIRE((type == "A" || type == "AAAA"));
    dns.add_address(name, value.as<std::string>());
    return type == "A" ? RecordType::a : RecordType::aaaa;
}

void add_name(FakeResolver& dns, const std::string& name, const ZoneName& content) {
    std::set<RecordType> given;
    for (const auto& [type, value] : content.records) {
        given.insert(add_record(dns, name, type, value));
    }
    for (const auto type : types) {
        if (content.is_loop) {
            dns.fail(name, type, LookupFailure::server_failure);
        } else if (content.is_stalled && !given.contains(type)) {
            dns.stall(name, type);
        }
    }
}

void add_zone(FakeResolver& dns, const YAML::Node& zone) {
    std::map<std::string, ZoneName> names;
    for (const auto& entry : zone) {
        const verify::Question question{entry.first.as<std::string>(), RecordType::txt};
        names[question.name] = with_spf_as_txt(read_name(entry.second));
    }
    for (const auto& [name, content] : names) {
        add_name(dns, name, content.alias.empty() ? content : names.at(content.alias));
    }
}

verify::SpfRequest request_for(const YAML::Node& test) {
    const auto client = policy::Address::parse(test["host"].as<std::string>()).value();
    const auto helo = test["helo"].as<std::string>();
    const auto mail_from = test["mailfrom"].as<std::string>();
    if (mail_from.empty()) {
        return verify::spf_request_for_helo(client, helo, "unknown");
    }
    // Some are no mailbox, and check_host() takes them (section 4.3).
    const auto at = mail_from.rfind('@');
    return {client, helo, mail_from.substr(0, at), mail_from.substr(at + 1), "unknown"};
}

bool is_allowed(const YAML::Node& expected, const std::string& result) {
    if (expected.IsScalar()) {
        return expected.as<std::string>() == result;
    }
    return std::any_of(expected.begin(), expected.end(), [&result](const auto& one) {
        return one.template as<std::string>() == result;
    });
}

struct Counts {
    int cases = 0;
    int explanations = 0;
};

// Checks the cases of one scenario.
Counts run_scenario(const YAML::Node& scenario) {
    FakeResolver dns;
    add_zone(dns, scenario["zonedata"]);
    Counts counts;
    for (const auto& entry : scenario["tests"]) {
        const auto& test = entry.second;
        CAPTURE(entry.first.as<std::string>());
        verify::Lookups lookups{dns};
        const auto evidence = verify::check_spf(lookups, request_for(test));
        CAPTURE(evidence.problem);
        const std::string result{policy::to_string(evidence.result)};
        CHECK_MESSAGE(is_allowed(test["result"], result), result);
        ++counts.cases;
        if (const auto& explanation = test["explanation"]) {
            const auto expected = explanation.as<std::string>();
            CHECK(evidence.explanation == (expected == "DEFAULT" ? "" : expected));
            ++counts.explanations;
        }
    }
    return counts;
}

} // namespace

TEST_CASE("the test suite of RFC 7208: every result, every explanation") {
    Counts all;
    for (const auto& scenario : YAML::LoadAllFromFile(RFC7208_SUITE)) {
        const auto counts = run_scenario(scenario);
        all.cases += counts.cases;
        all.explanations += counts.explanations;
    }
    CHECK(all.cases == 203);
    CHECK(all.explanations == 22);
}
