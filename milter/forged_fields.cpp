#include "milter/forged_fields.hpp"

#include "policy/ascii.hpp"
#include "policy/authentication_results.hpp"
#include "policy/policy_field.hpp"

namespace milter {

void ForgedFields::note(std::string_view name,
                        std::string_view value,
                        std::string_view authserv_id) {
    name = policy::field_name(name);
    if (policy::same_name(name, policy::results_field_name)) {
        ++results_fields_;
        if (!authserv_id.empty() && policy::claims_authserv_id(value, authserv_id)) {
            forged_.emplace_back(policy::results_field_name, results_fields_);
        }
    } else if (policy::same_name(name, policy::policy_field_name)) {
        ++policy_fields_;
        forged_.emplace_back(policy::policy_field_name, policy_fields_);
    }
}

// Descending, because Postfix renumbers at each deletion and Sendmail does not.
void ForgedFields::remove(Mta& mta) {
    const auto forged = std::exchange(forged_, {});
    for (auto field = forged.rbegin(); field != forged.rend(); ++field) {
        mta.delete_header(field->first, field->second);
    }
}

} // namespace milter
