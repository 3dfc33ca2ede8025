// The SPF grammar and check_host() with a zone, a client and an envelope from the fuzzer.
//
//     client ADDRESS      helo NAME      from PATH      as helo
//     txt NAME TEXT       a NAME ADDRESS       mx NAME HOST       ptr ADDRESS NAME
//     fail NAME TYPE
#include "milter/verify/spf.hpp"
#include "milter/verify/spf_record.hpp"
#include "tests/fuzz/output.hpp"

namespace {

using fuzz::require;
using verify::RecordType;

constexpr std::ptrdiff_t most_terms = 10; // RFC 7208 section 4.6.4, and so many hosts of each

struct Check {
    tests::FakeResolver dns;
    verify::SpfRequest request{policy::Address::parse("2001:db8::1").value(), {}, {}, {}, {}};
    std::size_t longest_text = 0;
};

void check_grammar(const std::string& text) {
    const auto record = verify::parse_spf_record(text);
    if (!record) {
        require(!record.error().reason.empty(), "a syntax error says why");
        require(text.find(record.error().term) != std::string::npos, "and where");
        return;
    }
    fuzz::require_printable(text, "a record of the grammar is US-ASCII");
    for (const auto& directive : record->directives) {
        require(text.find(directive.text) != std::string::npos, "a directive is as published");
        require(verify::parse_spf_record("v=spf1 " + directive.text).has_value(),
                "a directive is one by itself");
    }
}

void set(Check& check, const fuzz::Item& item) {
    if (item.word == "client") {
        check.request.client = policy::Address::parse(item.text).value_or(check.request.client);
    } else if (item.word == "helo") {
        check.request.helo = item.text;
    } else if (item.word == "from") {
        const auto at = std::min(item.text.rfind('@'), item.text.size());
        check.request.local_part = item.text.substr(0, at);
        check.request.domain = item.text.substr(std::min(at + 1, item.text.size()));
    } else if (item.word == "as") {
        check.request.identity =
            item.text == "helo" ? verify::SpfIdentity::helo : verify::SpfIdentity::mail_from;
    } else if (fuzz::add_to_zone(check.dns, item) && item.word == "txt") {
        check.longest_text = std::max(check.longest_text, item.text.size());
        const auto text = item.text.substr(std::min(item.text.find(' ') + 1, item.text.size()));
        if (!verify::spf_records_among({text}).empty()) {
            check_grammar(text);
        }
    }
}

void require_limits(const verify::Lookups& lookups) {
    const auto asked = [&](std::initializer_list<RecordType> types) {
        return std::ranges::count_if(lookups.used(), [types](const auto& used) {
            return std::ranges::find(types, used.question.type) != types.end();
        });
    };
    require(asked({RecordType::txt}) <= most_terms + 2, "TXT: the first, the terms' and exp's");
    require(asked({RecordType::mx}) <= most_terms, "MX: one a term");
    require(asked({RecordType::ptr}) <= 1, "PTR: the client's");
    require(asked({RecordType::a, RecordType::aaaa}) <= most_terms * 10 + 10,
            "addresses: ten hosts a term, and the client's names");
}

void require_sound(const policy::SpfEvidence& found, const Check& check) {
    const bool passes = found.result == policy::SpfResult::pass;
    require(!passes || !found.mechanism.empty(), "a pass names its mechanism");
    require(passes || !found.is_wide, "only a pass is wide");
    require(found.mechanism.size() <= check.longest_text, "a mechanism comes from a record");
    fuzz::require_printable(found.mechanism, "a mechanism is printable");
    require(found.problem.size() <= 2000, "a problem is short");
    fuzz::require_printable(found.explanation, "an explanation is printable");
    require(found.explanation.size() <= 1000, "an explanation is bounded");
    require(found.explanation.empty() || found.result == policy::SpfResult::fail,
            "only a fail is explained");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
    Check check;
    for (const auto& item : fuzz::items_of(fuzz::text_of(octets, size))) {
        set(check, item);
    }
    if (check.request.identity == verify::SpfIdentity::helo) {
        check.request.domain = check.request.helo;
    }
    verify::start_spf(check.dns, check.request);
    require(check.dns.asked.size() <= most_terms, "not much is asked ahead");
    verify::Lookups lookups{check.dns};
    require_sound(verify::check_spf(lookups, check.request), check);
    require_limits(lookups);
    return 0;
}
