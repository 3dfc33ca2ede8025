// What a message's header fields tell about its kind and its author, for the evidence.
#pragma once

#include "policy/evidence.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace milter {

// Sender Rewriting Scheme: a forwarder's own address in place of the author's.
bool is_rewritten(std::string_view mail_from);

class ContentNotes {
public:
    // A field of the message; `value` is all that follows the colon.
    void note(std::string_view name, std::string_view value);

    // At the end of the header.
    void tell(policy::Evidence& evidence) const;

private:
    bool is_from_list_ = false;
    bool is_forwarded_ = false;
    std::vector<std::string> authors_; // the values of From: fields, as many as it takes
};

} // namespace milter
