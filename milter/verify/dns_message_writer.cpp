#include "milter/verify/dns_message.hpp"
#include "milter/verify/dns_name.hpp"

#include <arpa/nameser.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace verify {

namespace {

class PacketWriter {
public:
    void put16(std::size_t value) {
        put8(value >> 8U);
        put8(value & 0xffU);
    }

    void put8(std::size_t value) { octets_.push_back(static_cast<std::uint8_t>(value)); }

    void put(std::string_view text) { octets_.insert(octets_.end(), text.begin(), text.end()); }

    const std::vector<std::uint8_t>& octets() const { return octets_; }

private:
    std::vector<std::uint8_t> octets_;
};

constexpr std::size_t max_string = 255;

std::size_t data_size(std::string_view text) {
    const std::size_t strings = text.empty() ? 1 : (text.size() + max_string - 1) / max_string;
    return text.size() + strings;
}

// How many octets records of these texts take.
bool fits(const std::vector<std::string>& texts, std::size_t room) {
    constexpr std::size_t fixed = 12; // compressed owner, type, class, TTL, length
    std::size_t needed = 0;
    for (const auto& text : texts) {
        needed += fixed + data_size(text);
    }
    return needed <= room;
}

void put_text_record(PacketWriter& packet, std::string_view text) {
    constexpr std::size_t name_of_question = 0xc000U | NS_HFIXEDSZ;
    packet.put16(name_of_question);
    packet.put16(ns_t_txt);
    packet.put16(ns_c_in);
    packet.put16(0); // TTL: who wants packets does not keep them
    packet.put16(0);
    packet.put16(data_size(text));
    do {
        const auto string = text.substr(0, max_string);
        packet.put8(string.size());
        packet.put(string);
        text.remove_prefix(string.size());
    } while (!text.empty());
}

std::size_t rcode_of(const Answer& answer) {
    if (answer) {
        return ns_r_noerror;
    }
    switch (answer.error()) {
    case LookupFailure::no_such_domain: return ns_r_nxdomain;
    case LookupFailure::no_record: return ns_r_noerror;
    case LookupFailure::server_failure:
    case LookupFailure::timeout: return ns_r_servfail;
    }
    return ns_r_servfail;
}

} // namespace

std::vector<std::uint8_t> encode_txt_answer(const Question& question, const Answer& answer) {
    const auto name = wire_name(question.name).value_or(WireName{});
    const std::size_t room = NS_MAXMSG - NS_HFIXEDSZ - name.octets.size() - NS_QFIXEDSZ;
    const bool is_whole = !answer || fits(answer->texts, room);
    const auto texts = answer && is_whole ? answer->texts : std::vector<std::string>{};

    constexpr std::size_t response_recursive = 0x8180U; // QR, RD, RA
    PacketWriter packet;
    packet.put16(0); // id
    packet.put16(response_recursive | (is_whole ? rcode_of(answer) : std::size_t{ns_r_servfail}));
    packet.put16(1);
    packet.put16(texts.size());
    packet.put16(0);
    packet.put16(0);
    packet.put(name.octets);
    packet.put16(ns_t_txt);
    packet.put16(ns_c_in);
    for (const auto& text : texts) {
        put_text_record(packet, text);
    }
    return packet.octets();
}

} // namespace verify
