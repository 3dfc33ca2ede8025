#include "milter/libmilter_mta.hpp"

#include <libmilter/mfapi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>
#include <tuple>
#include <vector>

namespace milter {

namespace {

constexpr std::size_t max_lines = 32;
using Lines = std::array<char*, max_lines + 1>; // the rest null, which ends the list

// The MTA takes the text for a format: a single % would cost the whole reply in Sendmail.
std::string with_percent_doubled(std::string_view line) {
    std::string text;
    for (const char c : line) {
        text.append(c == '%' ? 2 : 1, c);
    }
    return text;
}

// smfi_setmlreply() takes its lines as variable arguments, up to a null pointer.
bool try_reply(SMFICTX* context, const policy::Reply& reply) {
    std::vector<CString> owners;
    for (const auto& line : reply.lines) {
        owners.emplace_back(with_percent_doubled(line));
    }
    Lines lines{};
    for (std::size_t i = 0; i < std::min(owners.size(), max_lines); ++i) {
        lines[i] = owners[i].get();
    }
    CString code{std::to_string(reply.code.code)};
    CString enhanced_status{reply.code.enhanced_status};
    const auto call = [&](auto... line) {
        return smfi_setmlreply(context, code.get(), enhanced_status.get(), line...);
    };
    return std::apply(call, lines) == MI_SUCCESS;
}

} // namespace

std::string LibmilterMta::macro(const char* name) {
    const char* const value = smfi_getsymval(context_, CString{name}.get());
    return value == nullptr ? "" : value;
}

void LibmilterMta::insert_header(std::string_view name, const std::string& value) {
    // With SMFIP_HDR_LEADSPC the MTA writes the value right after the colon.
    const std::string text = (steps_ & SMFIP_HDR_LEADSPC) != 0 ? ' ' + value : value;
    if (smfi_insheader(context_, 0, CString{name}.get(), CString{text}.get()) != MI_SUCCESS) {
        throw std::runtime_error{"smfi_insheader failed"};
    }
}

void LibmilterMta::delete_header(std::string_view name, int index) {
    if (smfi_chgheader(context_, CString{name}.get(), index, nullptr) != MI_SUCCESS) {
        throw std::runtime_error{"smfi_chgheader failed"};
    }
}

// A refusal with its code and without its explanation is better than one without its code.
void LibmilterMta::set_reply(const policy::Reply& reply) {
    if (!try_reply(context_, reply) &&
        !try_reply(context_, {reply.code, {"refused by the policy for mail over IPv6"}})) {
        throw std::runtime_error{"smfi_setmlreply failed"};
    }
}

void LibmilterMta::progress() {
    smfi_progress(context_);
}

} // namespace milter
