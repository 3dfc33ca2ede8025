// The parts of a report for people that name senders: domains, networks, and what to write to them.
#pragma once

#include "milter/page.hpp"
#include "policy/report.hpp"

#include <cstddef>

namespace milter {

// Each adds a part with at most `limit` rows, and nothing where there is nothing to tell.

// In order of harm.
void add_sender_domains(Page& page, const policy::Report& report, std::size_t limit);
void add_letters(Page& page, const policy::Report& report, std::size_t limit);
void add_networks(Page& page, const policy::Report& report, std::size_t limit);

// They come again and pass once the name servers answer, but for those that never do.
void add_temporary_errors(Page& page, const policy::Report& report, std::size_t limit);

// What a candidate answers differently, the domains first for which most changes.
void add_changes(Page& page, const policy::Report& report, std::size_t limit);

} // namespace milter
