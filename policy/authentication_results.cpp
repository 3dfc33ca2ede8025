#include "policy/authentication_results.hpp"

#include "policy/ascii.hpp"
#include "policy/printable.hpp"
#include "policy/text_lines.hpp"

#include <algorithm>

namespace policy {

namespace {

constexpr std::size_t field_columns = 78;
constexpr std::size_t value_limit = 260; // a reverse-path has 256 octets at most
constexpr std::size_t longest_quoted = 400;
constexpr std::size_t comment_limit = 160; // of one name with what it led to
constexpr std::size_t max_names = 3;
constexpr std::size_t max_addresses = 2;
constexpr std::size_t header_b_length = 12; // enough to tell signatures apart (RFC 6008)

// RFC 2045 section 5.1. An IPv6 address is never a token, because of its colons.
bool is_token(std::string_view text) {
    static constexpr std::string_view specials = "()<>@,;:\\\"/[]?=";
    const auto is_plain = [](char c) {
        return is_alphanumeric(c) || c == '.' || c == '-' ||
               (is_printable(c) && c != ' ' && specials.find(c) == std::string_view::npos);
    };
    return !text.empty() && std::ranges::all_of(text, is_plain);
}

// RFC 6376 section 3.5: labels of letters, digits and hyphens, and more than one.
bool is_domain_name(std::string_view text) {
    std::size_t labels = 0;
    for (bool is_last = false; !is_last; ++labels) {
        const auto label = text.substr(0, text.find('.'));
        const auto is_inner = [](char c) { return is_alphanumeric(c) || c == '-'; };
        if (label.empty() || label.starts_with('-') || label.ends_with('-') ||
            !std::ranges::all_of(label, is_inner)) {
            return false;
        }
        is_last = label.size() == text.size();
        text.remove_prefix(std::min(label.size() + 1, text.size()));
    }
    return labels > 1;
}

// RFC 8601 section 2.2 takes a mailbox, or what follows its local part, without quotes. One whose
// local part is no token is quoted nevertheless: few would read it.
bool is_address(std::string_view text) {
    const auto at = text.rfind('@');
    if (at == std::string_view::npos || !is_domain_name(text.substr(at + 1))) {
        return false;
    }
    const auto local_part = text.substr(0, at);
    const bool is_dotted = local_part.starts_with('.') || local_part.ends_with('.') ||
                           local_part.find("..") != std::string_view::npos;
    return local_part.empty() || (is_token(local_part) && !is_dotted);
}

// RFC 5322 quoted-pairs for what would end a quoted string or a comment.
std::string escaped(std::string_view text, std::string_view specials) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (specials.find(c) != std::string_view::npos) {
            out += '\\';
        }
        out += c;
    }
    return out;
}

// Quoted-pairs may double what is quoted. Then half of it has to do: a line of a reply has 512
// octets at most (RFC 5321 section 4.5.3.1.5).
std::string quoted(std::string_view raw) {
    const auto content = [raw](std::size_t limit) {
        return escaped(printable(raw, limit), "\"\\");
    };
    const std::string whole = content(value_limit);
    return '"' + (whole.size() > longest_quoted ? content(value_limit / 2) : whole) + '"';
}

// The functions below add to a text what is to stand in it, if anything.
void add_pvalue(std::string& text, std::string_view raw) {
    if (raw.size() <= value_limit && is_token(raw)) {
        text += raw;
        return;
    }
    const std::string value = printable(raw, value_limit);
    text += is_token(value) || is_address(value) ? value : quoted(raw);
}

void add_property(std::string& text, std::string_view name, std::string_view value) {
    if (!value.empty()) {
        text.append(1, ' ').append(name).append(1, '=');
        add_pvalue(text, value);
    }
}

void add_reason(std::string& text, std::string_view problem) {
    if (!problem.empty()) {
        const auto content = escaped(printable(problem, comment_limit), "\"\\");
        text.append(" reason=\"").append(content).append(1, '"');
    }
}

void add_comment(std::string& text, std::string_view comment) {
    if (!comment.empty()) {
        const auto content = escaped(printable(comment, comment_limit), "()\\");
        text.append(" (").append(content).append(1, ')');
    }
}

std::string iprev_comment(const IprevName& found) {
    switch (found.outcome) {
    case NameOutcome::leads_back: return found.name;
    case NameOutcome::no_address: return found.name + " has no address of this kind";
    case NameOutcome::not_looked_up: return found.name + " could not be looked up";
    case NameOutcome::elsewhere: break;
    }
    std::string text = found.name + " is";
    for (std::size_t i = 0; i < std::min(found.addresses.size(), max_addresses); ++i) {
        text += ' ' + found.addresses[i].to_string();
    }
    return text;
}

// The names that lead back, or else where the first few led.
void add_iprev_comments(std::string& text, const IprevEvidence& iprev) {
    std::size_t count = 0;
    for (const auto& found : iprev.names) {
        const bool is_of_use =
            iprev.result != IprevResult::pass || found.outcome == NameOutcome::leads_back;
        if (is_of_use && ++count <= max_names) {
            add_comment(text, iprev_comment(found));
        }
    }
}

// What a resinfo takes as a rule, so that it grows but once.
constexpr std::size_t usual_length = 240;

std::string resinfo(std::string_view method, std::string_view result) {
    std::string text;
    text.reserve(usual_length);
    return text.append(method).append(1, '=').append(result);
}

std::string iprev_resinfo(const IprevEvidence& iprev, const std::optional<Address>& client) {
    auto text = resinfo("iprev", to_string(iprev.result));
    add_iprev_comments(text, iprev);
    add_property(text, "policy.iprev", client ? client->to_string() : "");
    return text;
}

std::string spf_resinfo(const SpfEvidence& spf, std::string_view name, std::string_view identity) {
    auto text = resinfo("spf", to_string(spf.result));
    add_reason(text, spf.problem);
    add_comment(text, spf.mechanism);
    add_property(text, name, identity);
    return text;
}

// The domain alone, as RFC 8601 section 2.2 allows: OpenDMARC takes nothing else for a domain that
// passed, and whom the mail is from stays out of what is passed on.
const std::string& mail_from_told(const Evidence& evidence) {
    return evidence.mail_from_domain.empty() ? evidence.mail_from : evidence.mail_from_domain;
}

std::string key_length(const DkimSignature& signature) {
    std::string text;
    if (signature.key_bits != 0) {
        text = std::to_string(signature.key_bits) + "-bit key";
    }
    if (signature.is_testing) {
        text += text.empty() ? "testing" : ", testing";
    }
    return text;
}

std::string dkim_resinfo(const DkimSignature& signature) {
    const std::string_view b{signature.signature};
    auto text = resinfo("dkim", to_string(signature.result));
    add_reason(text, signature.problem);
    add_comment(text, key_length(signature));
    add_property(text, "header.d", signature.sdid);
    add_property(text, "header.i", signature.auid);
    add_property(text, "header.s", signature.selector);
    add_property(text, "header.a", signature.algorithm);
    add_property(text, "header.b", b.substr(0, header_b_length));
    return text;
}

// As DNS was asked for it: whoever aligns it needs the A-labels.
std::string helo_of(const Evidence& evidence) {
    return evidence.spf_helo->domain.empty() ? evidence.helo : evidence.spf_helo->domain;
}

} // namespace

std::vector<std::string> resinfos(const Evidence& evidence) {
    std::vector<std::string> infos;
    if (evidence.iprev) {
        infos.push_back(iprev_resinfo(*evidence.iprev, evidence.client));
    }
    if (evidence.spf_mail_from) {
        infos.push_back(
            spf_resinfo(*evidence.spf_mail_from, "smtp.mailfrom", mail_from_told(evidence)));
    }
    if (evidence.spf_helo) {
        infos.push_back(spf_resinfo(*evidence.spf_helo, "smtp.helo", helo_of(evidence)));
    }
    if (evidence.dkim) {
        for (const auto& signature : *evidence.dkim) {
            infos.push_back(dkim_resinfo(signature));
        }
        if (evidence.dkim->empty()) {
            infos.emplace_back("dkim=none");
        }
    }
    return infos;
}

std::string authentication_results(std::string_view authserv_id, const Evidence& evidence) {
    const auto infos = resinfos(evidence);
    std::string value;
    value.reserve(authserv_id.size() + infos.size() * usual_length);
    value += authserv_id;
    if (infos.empty()) {
        value += "; none";
        return value;
    }
    for (const auto& info : infos) {
        value += ';';
        wrap(info, field_columns - 8, "", [&](std::string_view line) {
            value.append("\n\t").append(line);
        });
    }
    return value;
}

} // namespace policy
