// The MTA behind libmilter.
#pragma once

#include "milter/mta.hpp"

#include <string>
#include <string_view>

struct smfi_str; // SMFICTX of libmilter

namespace milter {

// A string that libmilter takes by a non-const pointer and does not write to.
class CString {
public:
    explicit CString(std::string_view text) : text_{text} {}

    char* get() { return text_.data(); }

private:
    std::string text_;
};

// The calls throw std::runtime_error, naming the call, where libmilter refuses them.
class LibmilterMta final : public Mta {
public:
    // `steps` are those that were agreed on with the MTA.
    LibmilterMta(smfi_str* context, unsigned long steps) : context_{context}, steps_{steps} {}

    std::string macro(const char* name) override;
    void insert_header(std::string_view name, const std::string& value) override;
    void delete_header(std::string_view name, int index) override;
    void set_reply(const policy::Reply& reply) override;
    void progress() override;

private:
    smfi_str* context_;
    unsigned long steps_;
};

} // namespace milter
