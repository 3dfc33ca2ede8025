// The milter protocol, version 6, on the MTA's side: packets, and the stages of a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// An answer belongs to one of these. Header fields, their end and the body are one stage.
enum class Stage : std::uint8_t { connect, helo, mail, rcpt, data, content, eom };

constexpr std::size_t stage_count = 7;

std::string_view word_of(Stage stage);

// A command or an answer with what follows it.
void append_packet(std::string& octets, char command, std::string_view content);

// In network order.
void append_number(std::string& octets, std::uint32_t number);
std::uint32_t number_in(std::string_view octets);

// Strings of the protocol end with a null character.
void append_string(std::string& octets, std::string_view text);

// The first packet of a connection. All steps and actions are offered.
std::string negotiation();

// What an MTA calls an answer that ends an event: "continue", "reject", "reply550".
std::string word_of_answer(char command, std::string_view content);

} // namespace bench
