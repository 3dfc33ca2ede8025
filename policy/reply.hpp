// The reply a sender gets: DESIGN section 6, within the limits that Postfix and Sendmail keep.
#pragma once

#include "policy/evidence.hpp"
#include "policy/rules.hpp"
#include "policy/verdict.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace policy {

struct Reply {
    ReplyCode code;
    std::vector<std::string> lines; // printable ASCII, without the codes; at most 32

    friend bool operator==(const Reply&, const Reply&) = default;
};

// What a reply tells besides the evidence.
struct ReplyContext {
    std::string_view case_id;
    std::string_view authserv_id;
    std::string_view help_url; // may hold placeholders: help_address(); empty: none
};

// The code that a verdict with a reason answers with, or would, in its stage and mode.
const ReplyCode& code_for(const Verdict& verdict, const Policy& policy);

// The reply for a verdict with a reason. At HELO its code is 421: the one that ends the connection
// in every MTA. Never empty, never longer than 32 lines or 2,000 octets
// with its codes; to keep that, hints are left out first, and then whole results from the end.
Reply reply_for(const Verdict& verdict,
                const Evidence& evidence,
                const Policy& policy,
                const ReplyContext& context);

// What the dialogue shows: "550-5.7.25 text", and a space after the code of the last line.
std::string to_string(const Reply& reply);

// What is wrong with a template's text, for whoever reads a configuration; empty where nothing is.
// The first line must name {client} and {case}; only printable ASCII and known placeholders stand
// anywhere: client case helo mail_from mail_from_domain recipient_domain iprev names ptr_name spf
// spf_domain spf_explanation dkim help_url authserv_id reason stage, and after the first line
// refused_from. A brace is written {{ or }}.
std::optional<std::string> fault_in(const std::vector<std::string>& text);

} // namespace policy
