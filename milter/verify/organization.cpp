#include "milter/verify/organization.hpp"

#include "milter/verify/c_handle.hpp"
#include "milter/verify/domain.hpp"

#include <libpsl.h>

#include <stdexcept>

namespace verify {

namespace {

using PublicSuffixes = CHandle<psl_ctx_t, psl_free>;

PublicSuffixes load_public_suffixes() {
    PublicSuffixes suffixes{psl_latest(nullptr)};
    if (suffixes == nullptr) {
        throw std::runtime_error{"psl_latest: there is no Public Suffix List"};
    }
    return suffixes;
}

const psl_ctx_t* public_suffixes() {
    static const PublicSuffixes suffixes = load_public_suffixes();
    return suffixes.get();
}

} // namespace

std::string organizational_domain(std::string_view domain) {
    std::string name = to_a_labels(domain);
    if (name.find('\0') != std::string::npos) {
        return name;
    }
    // The library takes any last label for a public suffix, as the list's rule "*" has it. What
    // the list does not know belongs to one organization only by chance.
    const char* const suffix = psl_unregistrable_domain(public_suffixes(), name.c_str());
    const bool is_known =
        suffix != nullptr &&
        psl_is_public_suffix2(public_suffixes(), suffix, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
    const char* const organization = psl_registrable_domain(public_suffixes(), name.c_str());
    return is_known && organization != nullptr ? std::string{organization} : name;
}

} // namespace verify
