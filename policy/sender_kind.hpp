// What kind of sender a message looks to come from, for a postmaster who has to decide what to do
// about it. Mail is never judged by it.
#pragma once

#include "policy/evidence.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace policy {

enum class SenderKind : std::uint8_t {
    own_range,    // a host of our own, it seems, that passes mail on to us
    null_path,    // a bounce or another notice
    mailing_list, // has a List-Id field
    forwarded,    // somebody else's mail, passed on
    direct
};
inline constexpr auto all_sender_kinds = std::to_array<SenderKind>({SenderKind::own_range,
                                                                    SenderKind::null_path,
                                                                    SenderKind::mailing_list,
                                                                    SenderKind::forwarded,
                                                                    SenderKind::direct});

// A number for each kind.
class ByKind {
public:
    std::uint64_t& operator[](SenderKind kind) { return counts_[index(kind)]; }

    std::uint64_t operator[](SenderKind kind) const { return counts_[index(kind)]; }

    // The first of those that are most frequent; empty where all are 0.
    std::optional<SenderKind> most_frequent() const;

    friend bool operator==(const ByKind&, const ByKind&) = default;

private:
    static std::size_t index(SenderKind kind) { return static_cast<std::size_t>(kind); }

    std::array<std::uint64_t, all_sender_kinds.size()> counts_{};
};

std::string_view to_string(SenderKind kind);

// The first of the above that fits. `own_host` is the name of the host that took the message. Ours
// is a unique-local client (RFC 4193), one in the /64 of the MTA's listener, and one with a
// confirmed reverse name in the domain of `own_host`.
SenderKind kind_of(const Evidence& evidence, std::string_view own_host);

// The domain that a host stands in, in lower case: example.org for mx1.example.org. A name stays
// as it is where it has no more than two labels, or would leave a registry's: co.uk.
std::string domain_of_host(std::string_view host);

// The first reverse name that leads back; empty where none does.
std::string_view confirmed_name(const Evidence& evidence);

// Whether a reverse name that leads back is `domain` or below it.
bool has_name_in(const Evidence& evidence, std::string_view domain);

// For the null path, which has no domain: that of confirmed_name(), or else of the
// HELO name.
std::string domain_of_client(const Evidence& evidence);

} // namespace policy
