#include "tests/bench/load/protocol.hpp"

#include <arpa/inet.h>
#include <libmilter/mfdef.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace bench {

std::string_view word_of(Stage stage) {
    switch (stage) {
    case Stage::connect: return "connect";
    case Stage::helo: return "helo";
    case Stage::mail: return "mail";
    case Stage::rcpt: return "rcpt";
    case Stage::data: return "data";
    case Stage::content: return "content";
    case Stage::eom: return "eom";
    }
    return "";
}

void append_number(std::string& octets, std::uint32_t number) {
    const std::uint32_t in_order = htonl(number);
    std::array<char, sizeof in_order> bytes{};
    std::memcpy(bytes.data(), &in_order, sizeof in_order);
    octets.append(bytes.data(), bytes.size());
}

std::uint32_t number_in(std::string_view octets) {
    std::uint32_t in_order = 0;
    if (octets.size() < sizeof in_order) {
        throw std::runtime_error{"a packet is too short"};
    }
    std::memcpy(&in_order, octets.data(), sizeof in_order);
    return ntohl(in_order);
}

void append_packet(std::string& octets, char command, std::string_view content) {
    append_number(octets, static_cast<std::uint32_t>(content.size() + 1));
    octets += command;
    octets += content;
}

void append_string(std::string& octets, std::string_view text) {
    octets += text;
    octets += '\0';
}

std::string negotiation() {
    std::string content;
    append_number(content, SMFI_PROT_VERSION);
    append_number(content, SMFI_CURR_ACTS);
    append_number(content, SMFI_CURR_PROT);
    std::string octets;
    append_packet(octets, SMFIC_OPTNEG, content);
    return octets;
}

std::string word_of_answer(char command, std::string_view content) {
    switch (command) {
    case SMFIR_CONTINUE: return "continue";
    case SMFIR_ACCEPT: return "accept";
    case SMFIR_REJECT: return "reject";
    case SMFIR_TEMPFAIL: return "tempfail";
    case SMFIR_DISCARD: return "discard";
    case SMFIR_SKIP: return "skip";
    case SMFIR_REPLYCODE: return "reply" + std::string{content.substr(0, 3)};
    default: throw std::runtime_error{std::string{"an unknown answer: "} + command};
    }
}

} // namespace bench
