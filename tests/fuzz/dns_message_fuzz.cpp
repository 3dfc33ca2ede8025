// A name server's packet: "TYPE NAME", and from the next line on its octets.
#include "milter/verify/dns_message.hpp"
#include "tests/fuzz/output.hpp"

namespace {

using fuzz::require;
using verify::RecordType;

constexpr auto types = std::to_array<RecordType>({RecordType::a,
                                                  RecordType::ptr,
                                                  RecordType::mx,
                                                  RecordType::txt,
                                                  RecordType::aaaa,
                                                  RecordType::srv});

verify::Question question_of(std::string_view line) {
    const auto word = fuzz::take_until(' ', line);
    const auto* const type =
        std::ranges::find(types, word, [](RecordType known) { return verify::to_string(known); });
    return {line, type == types.end() ? RecordType::txt : *type};
}

void require_name(const std::string& name) {
    fuzz::require_printable(name, "a name is in presentation form");
    require(fuzz::name_in_dns(name) == name, "and can be asked for again");
}

void require_sound(const verify::Records& records, RecordType type) {
    const auto is_of = [type](std::initializer_list<RecordType> wanted) {
        return std::ranges::find(wanted, type) != wanted.end();
    };
    require(records.addresses.empty() || is_of({RecordType::a, RecordType::aaaa}), "addresses");
    require(records.names.empty() || is_of({RecordType::ptr}), "names");
    require(records.texts.empty() || is_of({RecordType::txt}), "texts");
    require(records.mail_exchanges.empty() || is_of({RecordType::mx}), "mail exchanges");
    require(records.addresses.size() + records.names.size() + records.texts.size() +
                    records.mail_exchanges.size() <=
                256,
            "at most 256 records");
    std::ranges::for_each(records.names, require_name);
    std::ranges::for_each(records.mail_exchanges, require_name, &verify::MailExchange::host);
    for (const auto& address : records.addresses) {
        require(type != RecordType::a || address.is_ipv4(), "A holds IPv4");
    }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
    auto text = fuzz::text_of(octets, size);
    const auto question = question_of(fuzz::take_until('\n', text));
    const auto packet = std::span{octets, size}.last(text.size());
    const auto result = verify::parse_answer(question, packet);
    require(result.ttl >= std::chrono::seconds{0}, "a TTL is not negative");
    if (result.answer) {
        require_sound(*result.answer, question.type);
    }
    return 0;
}
