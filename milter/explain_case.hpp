// A case of the journal, explained.
#pragma once

#include "milter/commands.hpp"
#include "milter/config.hpp"

namespace milter {

// Prints what `config` makes of the entries of options.case_id, which are in its store, beside what
// was made of them. Returns the exit status. Throws StoreError.
int explain_case(const ExplainOptions& options, Config config);

} // namespace milter
