#include "policy/placeholders.hpp"

#include "policy/ascii.hpp"
#include "policy/grace.hpp"
#include "policy/mailbox.hpp"
#include "policy/printable.hpp"
#include "policy/spf_identity.hpp"
#include "policy/template_text.hpp"

#include <algorithm>
#include <array>

namespace policy {

namespace {

constexpr std::size_t max_names_told = 3;
constexpr std::size_t max_text_lines = 16;
constexpr std::size_t max_text_octets = 200; // of a line, before anything is filled in

// RFC 5321 section 4.5.3.1.5 allows 512 octets with the codes and the line's end.
constexpr std::size_t longest_first_line = 490;

constexpr std::string_view not_checked = "not checked";

std::string name_told(const IprevName& name) {
    switch (name.outcome) {
    case NameOutcome::leads_back: return name.name + " (leads back)";
    case NameOutcome::no_address: return name.name + " (no such address record)";
    case NameOutcome::not_looked_up: return name.name + " (not looked up)";
    case NameOutcome::elsewhere: break;
    }
    return name.name + " (leads to " + name.addresses.at(0).to_string() + ')';
}

std::string names(const Scene& scene) {
    if (!scene.evidence.iprev || scene.evidence.iprev->names.empty()) {
        return "no name";
    }
    const auto& found = scene.evidence.iprev->names;
    std::string text;
    for (std::size_t i = 0; i < std::min(found.size(), max_names_told); ++i) {
        text += (i == 0 ? "" : ", ") + name_told(found[i]);
    }
    const bool is_cut = found.size() > max_names_told;
    return is_cut ? text + " and " + std::to_string(found.size() - max_names_told) + " more" : text;
}

std::string iprev(const Scene& scene) {
    const auto& found = scene.evidence.iprev;
    return std::string{found ? to_string(found->result) : not_checked};
}

std::string spf(const Scene& scene) {
    const auto& found = spf_that_counts(scene.evidence);
    return std::string{found ? to_string(found->result) : not_checked};
}

std::string spf_domain(const Scene& scene) {
    return spf_domain_of(scene.evidence);
}

// RFC 7208 section 6.2: the words are the domain's, and said to be.
std::string spf_explanation(const Scene& scene) {
    const auto& found = spf_that_counts(scene.evidence);
    return found && !found->explanation.empty()
               ? "SPF explanation of " + found->domain + ": " + found->explanation
               : "";
}

std::string dkim(const Scene& scene) {
    if (!scene.evidence.dkim) {
        return std::string{not_checked};
    }
    std::string text;
    for (const auto& signature : *scene.evidence.dkim) {
        text += text.empty() ? "" : ", ";
        text += std::string{to_string(signature.result)} + " for " + signature.sdid;
    }
    return text.empty() ? "none" : text;
}

std::string from_domain(const Scene& scene) {
    const auto& found = scene.evidence.from_domain;
    return found && !found->empty() ? *found : "no one domain";
}

std::string recipient_domain(const Scene& scene) {
    if (scene.evidence.recipients.empty()) {
        return "";
    }
    const std::string& recipient = scene.evidence.recipients.front();
    const auto mailbox = Mailbox::parse(recipient);
    return mailbox && !mailbox->domain.empty() ? std::string{mailbox->domain} : recipient;
}

std::string client(const Scene& scene) {
    return scene.evidence.client ? scene.evidence.client->to_string() : "local";
}

std::string reverse_name(const Scene& scene) {
    return scene.evidence.client ? scene.evidence.client->reverse_name() : "";
}

std::string reason(const Scene& scene) {
    return std::string{scene.verdict.reason ? to_string(*scene.verdict.reason) : "none"};
}

std::string refused_from(const Scene& scene) {
    return scene.refused_from ? date_told(*scene.refused_from) : "";
}

// Those whose values stand in an address as they are: RFC 3986 reserves no character of theirs.
bool is_of_address(std::string_view name) {
    return name == "client" || name == "reason" || name == "case";
}

struct Placeholder {
    std::string_view name;
    std::string (*value)(const Scene& scene);
};

constexpr auto placeholders = std::to_array<Placeholder>({
    {"client", client},
    {"case", [](const Scene& scene) { return std::string{scene.context.case_id}; }},
    {"helo", [](const Scene& scene) { return scene.evidence.helo; }},
    {"mail_from", [](const Scene& scene) { return scene.evidence.mail_from; }},
    {"mail_from_domain", [](const Scene& scene) { return scene.evidence.mail_from_domain; }},
    {"from_domain", from_domain},
    {"recipient_domain", recipient_domain},
    {"iprev", iprev},
    {"names", names},
    {"ptr_name", reverse_name},
    {"spf", spf},
    {"spf_domain", spf_domain},
    {"spf_explanation", spf_explanation},
    {"dkim", dkim},
    {"help_url", help_address},
    {"authserv_id", [](const Scene& scene) { return std::string{scene.context.authserv_id}; }},
    {"reason", reason},
    {date_placeholder, refused_from},
    {"stage", [](const Scene& scene) { return scene.verdict.stage; }},
});

const Placeholder* find_placeholder(std::string_view name) {
    const auto* const found = std::ranges::find(placeholders, name, &Placeholder::name);
    return found == placeholders.end() ? nullptr : found;
}

bool is_placeholder(std::string_view name) {
    return find_placeholder(name) != nullptr;
}

// In the first line, the "..." of what is cut included.
std::size_t longest_value(std::string_view name) {
    if (name == "client") {
        return 39; // an IPv6 address
    }
    return name == "case" ? 12 : first_line_limit + 3;
}

std::optional<std::string> fault_in_line(std::string_view line) {
    if (line.size() > max_text_octets) {
        return "a line has more than " + std::to_string(max_text_octets) + " characters";
    }
    if (!std::ranges::all_of(line, is_printable)) {
        return "only printable ASCII characters may stand in a reply";
    }
    return fault_in_braces(line, is_placeholder);
}

// What a line may grow to when it is filled in, as the first one.
std::size_t longest_filled_in(std::string_view line) {
    std::size_t octets = 0;
    while (!line.empty()) {
        const Piece piece = take_piece(line);
        const bool is_filled_in = piece.kind == Piece::Kind::placeholder;
        octets += is_filled_in ? longest_value(piece.text) : piece.text.size();
    }
    return octets;
}

} // namespace

std::string help_address(const Scene& scene) {
    return filled_in(scene.context.help_url, [&](std::string_view name) {
        return name == "client"   ? client(scene)
               : name == "reason" ? reason(scene)
                                  : std::string{scene.context.case_id};
    });
}

std::optional<std::string> fault_in_address(std::string_view url) {
    if (auto fault = fault_in_braces(url, is_of_address)) {
        return *fault + "; an address may have {client}, {reason} and {case}";
    }
    const auto scheme_end = url.find("://");
    const auto host = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
    if (url.find('{') < url.find_first_of("/?#", host)) {
        return "what a placeholder stands for can be no part of the host: write it after the "
               "host's "
               "name and a /, ? or #";
    }
    return std::nullopt;
}

std::string expand(std::string_view text, const Scene& scene, std::size_t limit) {
    return filled_in(text, [&](std::string_view name) {
        return printable(find_placeholder(name)->value(scene), limit);
    });
}

bool has_placeholder(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const Piece piece = take_piece(text);
        if (piece.kind == Piece::Kind::placeholder && piece.text == name) {
            return true;
        }
    }
    return false;
}

std::optional<std::string> fault_in(const std::vector<std::string>& text) {
    if (text.empty()) {
        return "a reply needs at least one line";
    }
    if (text.size() > max_text_lines) {
        return "a reply has at most " + std::to_string(max_text_lines) + " lines of text";
    }
    for (const auto& line : text) {
        if (auto fault = fault_in_line(line)) {
            return fault;
        }
    }
    for (const std::string_view needed : {"client", "case"}) {
        if (!has_placeholder(text.front(), needed)) {
            return "the first line must have {" + std::string{needed} +
                   "}, because senders often see no other";
        }
    }
    if (has_placeholder(text.front(), date_placeholder)) {
        return "the first line cannot have {" + std::string{date_placeholder} +
               "}, because it is told where there is no date, too";
    }
    if (longest_filled_in(text.front()) > longest_first_line) {
        return "the first line may grow longer than " + std::to_string(longest_first_line) +
               " characters when it is filled in; move placeholders to the next";
    }
    return std::nullopt;
}

} // namespace policy
