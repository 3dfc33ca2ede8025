#include "milter/verify/organization.hpp"

#include "milter/verify/c_handle.hpp"
#include "milter/verify/domain.hpp"
#include "policy/ascii.hpp"

#include <libpsl.h>

#include <algorithm>
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
    const std::string_view last = std::string_view{name}.substr(name.rfind('.') + 1);
    const bool is_domain = name.find_first_of(std::string_view{"\0[]", 3}) == std::string::npos &&
                           std::ranges::any_of(last, policy::is_alpha);
    const char* const organization =
        is_domain ? psl_registrable_domain(public_suffixes(), name.c_str()) : nullptr;
    return organization != nullptr ? std::string{organization} : name;
}

} // namespace verify
