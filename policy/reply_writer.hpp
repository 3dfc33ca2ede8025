// Puts a reply together, within the limits that Postfix and Sendmail keep.
#pragma once

#include "policy/reply.hpp"

#include <string>
#include <string_view>

namespace policy {

class ReplyWriter {
public:
    // The first line is there whatever follows.
    ReplyWriter(ReplyCode code, std::string first_line);

    // `text`, wrapped: whole, or not at all where it does not fit together with `later`, which is
    // still to come. Whether it was added.
    bool add(std::string_view text, std::string_view later = {});

    // Hints, each on lines of its own, and the results as one Authentication-Results field, each
    // beginning a line. Where not all of it fits, hints are left out first, from the last on; then
    // the results from the first on that does not fit.
    void add_diagnostics(const Evidence& evidence, std::string_view authserv_id);

    const Reply& reply() const { return reply_; }

private:
    bool add_results(const Evidence& evidence, std::string_view authserv_id); // whether all fit

    Reply reply_;
};

} // namespace policy
