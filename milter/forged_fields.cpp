#include "milter/forged_fields.hpp"

#include "policy/ascii.hpp"
#include "policy/authentication_results.hpp"
#include "policy/policy_field.hpp"

namespace milter {

namespace {

// RFC 5322 section 4.5.8 lets white space stand before the colon. MTAs take it away, mostly.
std::string_view without_space_at_end(std::string_view field_name) {
    return field_name.substr(0, field_name.find_last_not_of(" \t") + 1);
}

} // namespace

void ForgedFields::note(std::string_view name,
                        std::string_view value,
                        std::string_view authserv_id) {
    name = without_space_at_end(name);
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
