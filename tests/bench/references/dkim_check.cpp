#include "tests/bench/references/dkim_check.hpp"

#include "milter/verify/c_handle.hpp"

// dkim.h is C, and has _Bool.
#define _Bool bool // NOLINT(bugprone-reserved-identifier)
extern "C" {
#include <opendkim/dkim.h>
}
#undef _Bool

#include <cstring>
#include <fstream>
#include <stdexcept>
#include <unordered_map>

namespace bench {

namespace {

std::unordered_map<std::string, std::string>& keys() {
    static std::unordered_map<std::string, std::string> all;
    return all;
}

std::string text_of(const unsigned char* octets) {
    return reinterpret_cast<const char*>(octets);
}

unsigned char* octets_of(std::string_view text) {
    return reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
}

DKIM_STAT
look_up(DKIM* /*message*/, DKIM_SIGINFO* signature, unsigned char* buffer, size_t size) {
    const auto found = keys().find(text_of(dkim_sig_getselector(signature)) + "._domainkey." +
                                   text_of(dkim_sig_getdomain(signature)));
    if (found == keys().end() || found->second.size() >= size) {
        return DKIM_STAT_NOKEY;
    }
    std::memcpy(buffer, found->second.c_str(), found->second.size() + 1);
    return DKIM_STAT_OK;
}

DKIM_LIB* library() {
    static DKIM_LIB* const made = [] {
        DKIM_LIB* const one = dkim_init(nullptr, nullptr);
        dkim_set_key_lookup(one, look_up);
        return one;
    }();
    return made;
}

} // namespace

void load_keys(const std::string& file) {
    std::ifstream lines{file};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t tab = line.find('\t');
        keys()[line.substr(0, tab)] = line.substr(tab + 1);
    }
    if (keys().empty()) {
        throw std::runtime_error{"no keys in " + file};
    }
}

struct DkimCheck::Message {
    DKIM_STAT status = DKIM_STAT_OK;
    verify::CHandle<DKIM, dkim_free> handle{
        dkim_verify(library(), octets_of("bench"), nullptr, &status)};
};

DkimCheck::DkimCheck() : message_{std::make_unique<Message>()} {}

DkimCheck::~DkimCheck() = default;

void DkimCheck::header(std::string_view field) {
    dkim_header(message_->handle.get(), octets_of(field), field.size());
}

void DkimCheck::end_of_header() {
    dkim_eoh(message_->handle.get());
}

void DkimCheck::body(std::string_view octets) {
    dkim_body(message_->handle.get(), octets_of(octets), octets.size());
}

bool DkimCheck::passes() {
    return dkim_eom(message_->handle.get(), nullptr) == DKIM_STAT_OK;
}

} // namespace bench
