#include "policy/policy_field.hpp"

#include "policy/reply.hpp"

namespace policy {

std::string policy_field(const Verdict& verdict, const Policy& policy) {
    const std::string stage = "; stage=" + verdict.stage;
    if (!verdict.reason) {
        return "pass" + stage;
    }
    const auto code_in = [&](Mode mode) {
        Verdict further = verdict;
        further.mode = mode;
        return code_for(further, policy).to_string();
    };
    const bool is_temporary = is_temperror(*verdict.reason);
    return (is_temporary ? "temperror" : "fail") +
           ("; reason=" + std::string{to_string(*verdict.reason)}) + stage + ";\n\tsoft=\"" +
           code_in(Mode::soft) + "\"; enforce=\"" + code_in(Mode::enforce) + '"';
}

} // namespace policy
