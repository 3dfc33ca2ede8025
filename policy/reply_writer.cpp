#include "policy/reply_writer.hpp"

#include "policy/authentication_results.hpp"
#include "policy/hints.hpp"
#include "policy/text_lines.hpp"

#include <cstddef>
#include <utility>

namespace policy {

namespace {

// Postfix keeps some 2,048 octets of a reply in the bounce, libmilter takes 32 lines (measured).
constexpr std::size_t max_octets = 2'000;
constexpr std::size_t max_lines = 32;
constexpr std::size_t reply_columns = 78;
constexpr std::size_t max_line_octets = 490; // of a word without a space (RFC 5321: 512)

// "550-5.7.25 "
std::size_t prefix_size(const ReplyCode& code) {
    return code.to_string().size() + 1;
}

bool fits(const Reply& reply) {
    std::size_t octets = 0;
    for (const auto& line : reply.lines) {
        octets += prefix_size(reply.code) + line.size() + 2;
    }
    return octets <= max_octets && reply.lines.size() <= max_lines;
}

void append(Reply& reply, std::string_view text, std::string_view indent) {
    for (std::string_view line : wrap(text, reply_columns - prefix_size(reply.code), indent)) {
        for (; line.size() > max_line_octets; line.remove_prefix(max_line_octets)) {
            reply.lines.emplace_back(line.substr(0, max_line_octets));
        }
        reply.lines.emplace_back(line);
    }
}

} // namespace

ReplyWriter::ReplyWriter(ReplyCode code, std::string first_line)
    : reply_{std::move(code), {std::move(first_line)}} {}

bool ReplyWriter::add(std::string_view text, std::string_view later) {
    Reply longer = reply_;
    append(longer, text, "");
    Reply whole = longer;
    if (!later.empty()) {
        append(whole, later, "");
    }
    const bool is_added = fits(whole);
    if (is_added) {
        reply_ = std::move(longer);
    }
    return is_added;
}

void ReplyWriter::add_diagnostics(const Evidence& evidence, std::string_view authserv_id) {
    for (auto hints = hints_of(evidence);; hints.pop_back()) {
        ReplyWriter whole = *this;
        for (const auto& hint : hints) {
            whole.add(hint);
        }
        if (whole.add_results(evidence, authserv_id) || hints.empty()) {
            reply_ = std::move(whole.reply_);
            return;
        }
    }
}

bool ReplyWriter::add_results(const Evidence& evidence, std::string_view authserv_id) {
    Reply longer = reply_;
    append(longer, "Authentication-Results: " + std::string{authserv_id}, " ");
    for (const auto& result : resinfos(evidence)) {
        longer.lines.back() += ';';
        append(longer, ' ' + result, "  ");
        if (!fits(longer)) {
            return false;
        }
        reply_ = longer;
    }
    return true;
}

} // namespace policy
