#include "tests/bench/load/content.hpp"

#include "tests/bench/load/protocol.hpp"

#include <libmilter/mfdef.h>

#include <algorithm>
#include <stdexcept>

namespace bench {

namespace {

// The end of the field that begins at `from`, behind its CRLF.
std::size_t end_of_field(std::string_view octets, std::size_t from) {
    std::size_t end = from;
    do {
        end = octets.find("\r\n", end);
        if (end == std::string_view::npos) {
            throw std::runtime_error{"a message has a line without CRLF"};
        }
        end += 2;
    } while (end < octets.size() && (octets[end] == ' ' || octets[end] == '\t'));
    return end;
}

// MTAs fold with a bare LF.
std::string with_plain_folds(std::string_view value) {
    std::string folded{value};
    std::erase(folded, '\r');
    return folded;
}

} // namespace

Content::Content(std::string octets) : octets_{std::move(octets)} {
    const std::string_view all{octets_};
    std::size_t at = 0;
    while (at < all.size() && all.substr(at, 2) != "\r\n") {
        const std::size_t end = end_of_field(all, at);
        const std::string_view field = all.substr(at, end - at - 2);
        const std::size_t colon = field.find(':');
        if (colon == std::string_view::npos) {
            throw std::runtime_error{"a message has a field without a colon"};
        }
        fields_.emplace_back(field.substr(0, colon), field.substr(colon + 1));
        at = end;
    }
    body_ = all.substr(std::min(at + 2, all.size()));
}

void Content::append_header(Packets& packets, unsigned long steps) const {
    for (const auto& [name, value] : fields_) {
        const bool loses_space = (steps & SMFIP_HDR_LEADSPC) == 0 && value.starts_with(' ');
        std::string field;
        append_string(field, name);
        append_string(field, with_plain_folds(value.substr(loses_space ? 1 : 0)));
        append_packet(packets.octets, SMFIC_HEADER, field);
        if ((steps & SMFIP_NR_HDR) == 0) {
            packets.waits.push_back(packets.octets.size());
        }
    }
}

const Packets& Content::packets(unsigned long steps) {
    const auto [place, is_new] = by_steps_.try_emplace(steps);
    Packets& packets = place->second;
    if (!is_new) {
        return packets;
    }
    if ((steps & SMFIP_NOHDRS) == 0) {
        append_header(packets, steps);
    }
    if ((steps & SMFIP_NOEOH) == 0) {
        append_packet(packets.octets, SMFIC_EOH, {});
        if ((steps & SMFIP_NR_EOH) == 0) {
            packets.waits.push_back(packets.octets.size());
        }
    }
    if ((steps & SMFIP_NOBODY) == 0) {
        for (std::size_t at = 0; at < body_.size(); at += MILTER_CHUNK_SIZE) {
            append_packet(packets.octets, SMFIC_BODY, body_.substr(at, MILTER_CHUNK_SIZE));
            if ((steps & SMFIP_NR_BODY) == 0) {
                packets.waits.push_back(packets.octets.size());
            }
        }
    }
    return packets;
}

} // namespace bench
