#include "milter/verify/dns_message.hpp"

#include "milter/verify/dns_name.hpp"

#include <arpa/nameser.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace verify {

namespace {

using Octets = std::span<const std::uint8_t>;
using std::chrono::seconds;

// Of texts and names. Addresses are small, any of them may be the client's, and RFC 7208 knows no
// limit to those of an `a`: the message's length bounds them.
constexpr std::size_t max_records = 256;
constexpr int max_chain = 16; // CNAMEs; resolvers themselves follow no more

struct Record {
    WireName owner; // lower case
    unsigned type = 0;
    seconds ttl{0};
    std::size_t start = 0; // of the record's data in the message
    Octets data;
};

using RecordList = std::vector<Record>;

// The least TTL seen so far, and the name it has led to.
struct ChainEnd {
    WireName name;
    seconds ttl{std::numeric_limits<std::int32_t>::max()};
};

unsigned number16(Octets octets) {
    return ns_get16(octets.data());
}

// RFC 2181 section 8: a TTL with its highest bit set is zero.
seconds ttl_of(std::uint32_t value) {
    constexpr std::uint32_t highest_bit = 0x80000000U;
    return seconds{(value & highest_bit) != 0 ? 0 : value};
}

// The records of one section that are of class IN, in order.
std::optional<RecordList> records_of(ns_msg message, ns_sect section) {
    RecordList records;
    const auto* const begin = ns_msg_base(message);
    for (int i = 0; i < ns_msg_count(message, section); ++i) {
        ns_rr row{};
        if (ns_parserr(&message, section, i, &row) != 0) {
            return std::nullopt;
        }
        const auto owner = wire_name(ns_rr_name(row));
        if (!owner) {
            return std::nullopt;
        }
        if (ns_rr_class(row) == ns_c_in) {
            const auto* const data = ns_rr_rdata(row);
            records.push_back({lower_case(*owner),
                               ns_rr_type(row),
                               ttl_of(ns_rr_ttl(row)),
                               static_cast<std::size_t>(data - begin),
                               {data, static_cast<std::size_t>(ns_rr_rdlen(row))}});
        }
    }
    return records;
}

// One message, for as long as its octets live.
class Message {
public:
    static std::optional<Message> parse(Octets octets) {
        Message message{octets};
        const bool is_read =
            octets.size() <= NS_MAXMSG &&
            ns_initparse(octets.data(), static_cast<int>(octets.size()), &message.parsed_) == 0;
        return is_read ? std::optional{message} : std::nullopt;
    }

    // It is a whole response, and to nothing but `name` and `type`.
    bool is_response_to(const WireName& name, RecordType type) const {
        ns_msg message = parsed_;
        ns_rr asked{};
        if (flag(ns_f_qr) != 1 || flag(ns_f_opcode) != ns_o_query || flag(ns_f_tc) != 0 ||
            ns_msg_count(message, ns_s_qd) != 1 || ns_parserr(&message, ns_s_qd, 0, &asked) != 0) {
            return false;
        }
        const auto asked_name = wire_name(ns_rr_name(asked));
        return asked_name && lower_case(*asked_name) == name && ns_rr_class(asked) == ns_c_in &&
               ns_rr_type(asked) == static_cast<unsigned>(type);
    }

    // Whoever sent it looks nothing up for others, and is not in charge of the name either: a lame
    // delegation. What such a server does not have may be there.
    bool is_from_bystander() const { return flag(ns_f_aa) == 0 && flag(ns_f_ra) == 0; }

    // With the upper bits of RFC 6891 section 6.1.3: BADVERS would otherwise read as NOERROR.
    // Nothing where the section that holds them cannot be read.
    std::optional<unsigned> rcode() const {
        ns_msg message = parsed_;
        auto rcode = static_cast<unsigned>(flag(ns_f_rcode));
        for (int i = 0; i < ns_msg_count(message, ns_s_ar); ++i) {
            ns_rr row{};
            if (ns_parserr(&message, ns_s_ar, i, &row) != 0) {
                return std::nullopt;
            }
            if (ns_rr_type(row) == ns_t_opt) {
                rcode |= (ns_rr_ttl(row) >> 24U) << 4U;
            }
        }
        return rcode;
    }

    std::optional<RecordList> records(ns_sect section) const {
        return records_of(parsed_, section);
    }

    // The name that fills `record` from `offset` to its end.
    std::optional<WireName> name_in_data(const Record& record, std::size_t offset) const {
        const auto found = name_in(octets_, record.start + offset);
        if (!found || offset + found->length != record.data.size()) {
            return std::nullopt;
        }
        return found->name;
    }

private:
    explicit Message(Octets octets) : octets_{octets} {}

    int flag(ns_flag which) const { return ns_msg_getflag(parsed_, which); }

    Octets octets_;
    ns_msg parsed_{};
};

// Where the CNAMEs of `records` lead from `name`. Nothing where they do not come to an end.
std::optional<ChainEnd>
follow_chain(const Message& message, const RecordList& records, WireName name) {
    ChainEnd end{std::move(name)};
    for (int i = 0; i <= max_chain; ++i) {
        const auto alias = std::ranges::find_if(records, [&](const Record& record) {
            return record.type == ns_t_cname && record.owner == end.name;
        });
        if (alias == records.end()) {
            return end;
        }
        const auto target = message.name_in_data(*alias, 0);
        if (!target) {
            return std::nullopt;
        }
        end = {lower_case(*target), std::min(end.ttl, alias->ttl)};
    }
    return std::nullopt;
}

std::optional<policy::Address> read_ipv4(const Record& record) {
    std::array<std::uint8_t, 4> octets{};
    if (record.data.size() != octets.size()) {
        return std::nullopt;
    }
    std::ranges::copy(record.data, octets.begin());
    return policy::Address::from_ipv4(octets);
}

std::optional<policy::Address> read_ipv6(const Record& record) {
    policy::Address::Bytes octets{};
    if (record.data.size() != octets.size()) {
        return std::nullopt;
    }
    std::ranges::copy(record.data, octets.begin());
    return policy::Address{octets};
}

std::optional<std::string> read_text(const Record& record) {
    std::string text;
    Octets rest = record.data;
    if (rest.empty()) {
        return std::nullopt;
    }
    while (!rest.empty()) {
        const std::size_t length = rest[0];
        if (length >= rest.size()) {
            return std::nullopt;
        }
        const auto string = rest.subspan(1, length);
        text.append(string.begin(), string.end());
        rest = rest.subspan(1 + length);
    }
    return text;
}

std::optional<std::string> read_name(const Message& message, const Record& record) {
    const auto name = message.name_in_data(record, 0);
    return name ? std::optional{presentation(*name)} : std::nullopt;
}

std::optional<MailExchange> read_mail_exchange(const Message& message, const Record& record) {
    constexpr std::size_t preference_size = 2;
    if (record.data.size() <= preference_size) {
        return std::nullopt;
    }
    const auto host = message.name_in_data(record, preference_size);
    if (!host) {
        return std::nullopt;
    }
    return MailExchange{static_cast<std::uint16_t>(number16(record.data)), presentation(*host)};
}

// `records`, each read by `read`, as the one list that is filled. One that cannot be read spoils
// all: half of a set is another set.
template <typename Value, typename Read>
std::optional<Records>
read_each(const RecordList& records, std::vector<Value> Records::*list, Read read) {
    Records result;
    for (const auto& record : records) {
        auto value = read(record);
        if (!value) {
            return std::nullopt;
        }
        (result.*list).push_back(std::move(*value));
    }
    return result;
}

std::optional<Records>
read_all(const Message& message, const RecordList& records, RecordType type) {
    switch (type) {
    case RecordType::a: return read_each(records, &Records::addresses, read_ipv4);
    case RecordType::aaaa: return read_each(records, &Records::addresses, read_ipv6);
    case RecordType::txt: return read_each(records, &Records::texts, read_text);
    case RecordType::ptr:
        return read_each(records, &Records::names, [&](const Record& record) {
            return read_name(message, record);
        });
    case RecordType::mx:
        return read_each(records, &Records::mail_exchanges, [&](const Record& record) {
            return read_mail_exchange(message, record);
        });
    case RecordType::srv: return Records{}; // only asked whether there is one
    }
    return std::nullopt;
}

// How long it may be believed that there is nothing: RFC 2308 section 5.
seconds negative_ttl(const RecordList& authority) {
    const auto soa = std::ranges::find(authority, unsigned{ns_t_soa}, &Record::type);
    constexpr std::size_t minimum_size = 4;
    if (soa == authority.end() || soa->data.size() < minimum_size) {
        return seconds{0};
    }
    const auto minimum = soa->data.last(minimum_size);
    return std::min(soa->ttl, ttl_of(static_cast<std::uint32_t>(ns_get32(minimum.data()))));
}

// RFC 2308 section 2.2: name servers without a SOA send the question on, they do not answer it.
bool is_referral(const RecordList& authority) {
    const auto has = [&](unsigned type) {
        return std::ranges::find(authority, type, &Record::type) != authority.end();
    };
    return has(ns_t_ns) && !has(ns_t_soa);
}

TimedAnswer nothing(const Message& message, LookupFailure failure, seconds chain_ttl) {
    const auto authority = message.records(ns_s_ns);
    const bool is_lame = failure == LookupFailure::no_record && authority &&
                         (is_referral(*authority) || message.is_from_bystander());
    if (!authority || is_lame) {
        return failed(LookupFailure::server_failure);
    }
    return {tl::unexpected{failure}, std::min(chain_ttl, negative_ttl(*authority))};
}

bool has_limit(RecordType type) {
    return type != RecordType::a && type != RecordType::aaaa;
}

TimedAnswer
something(const Message& message, const RecordList& records, ChainEnd end, RecordType type) {
    RecordList wanted;
    for (const auto& record : records) {
        if (record.owner == end.name && record.type == static_cast<unsigned>(type) &&
            (wanted.size() < max_records || !has_limit(type))) {
            wanted.push_back(record);
            end.ttl = std::min(end.ttl, record.ttl);
        }
    }
    if (wanted.empty()) {
        return nothing(message, LookupFailure::no_record, end.ttl);
    }
    auto read = read_all(message, wanted, type);
    if (!read) {
        return failed(LookupFailure::server_failure);
    }
    return {std::move(*read), end.ttl};
}

} // namespace

TimedAnswer failed(LookupFailure failure) {
    switch (failure) {
    case LookupFailure::server_failure: return {tl::unexpected{failure}, seconds{5}};
    // Dearer than a quick SERVFAIL: each costs a waiting message the whole timeout.
    case LookupFailure::timeout: return {tl::unexpected{failure}, seconds{10}};
    case LookupFailure::no_such_domain:
    case LookupFailure::no_record: break;
    }
    return {tl::unexpected{failure}, seconds{0}};
}

TimedAnswer parse_answer(const Question& question, std::span<const std::uint8_t> packet) {
    const auto name = wire_name(question.name);
    const auto message = Message::parse(packet);
    if (!name || !message || !message->is_response_to(lower_case(*name), question.type)) {
        return failed(LookupFailure::server_failure);
    }
    const auto records = message->records(ns_s_an);
    const unsigned rcode = message->rcode().value_or(ns_r_servfail);
    const bool is_definite = rcode == ns_r_noerror || rcode == ns_r_nxdomain;
    if (!records || !is_definite) {
        return failed(LookupFailure::server_failure);
    }
    const auto end = follow_chain(*message, *records, lower_case(*name));
    if (!end) {
        return failed(LookupFailure::server_failure);
    }
    if (rcode == ns_r_nxdomain) {
        return nothing(*message, LookupFailure::no_such_domain, end->ttl);
    }
    return something(*message, *records, *end, question.type);
}

} // namespace verify
