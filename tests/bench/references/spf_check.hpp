// SPF by libspf2 alone, the records in memory.
#pragma once

#include <string>

namespace bench {

// Reads spf.tsv of the corpus: names and texts of SPF records. Call it once, before all else.
void load_spf_records(const std::string& file);

// The word of RFC 8601 for MAIL FROM; a domain that spf.tsv does not know has "none".
std::string
spf_result(const std::string& client, const std::string& helo, const std::string& mail_from);

} // namespace bench
